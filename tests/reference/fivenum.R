# Reference figures for tests/effects/test_derive_from_quantiles.py: metafor's conv.fivenum (metafor 4.0 or later).
# The figures come from metafor 5.1-12. Run from the repository root: Rscript tests/reference/fivenum.R > tests/reference/fivenum.csv
suppressMessages(library(metafor))

cases <- rbind(
   data.frame(min = NA, q1 = c(4, 10, 1.5, 0), median = c(6, 20, 2, 1), q3 = c(9, 28, 6, 8), max = NA),
   data.frame(min = c(2, 0, -3), q1 = NA, median = c(6, 5, 4), q3 = NA, max = c(14, 60, 9)),
   data.frame(min = c(2, 0, 1), q1 = c(4, 10, 2), median = c(6, 20, 3), q3 = c(9, 28, 9), max = c(14, 50, 40)))
cases <- merge(cases, data.frame(n = c(5, 12, 40, 400)))
raw <- conv.fivenum(min = min, q1 = q1, median = median, q3 = q3, max = max, n = n, data = cases, test = FALSE,
                    append = FALSE)
tested <- conv.fivenum(min = min, q1 = q1, median = median, q3 = q3, max = max, n = n, data = cases, append = FALSE)
result <- cbind(cases, mean = sprintf("%.15g", raw$mean), sd = sprintf("%.15g", raw$sd), skewed = is.na(tested$mean))
write.csv(result, stdout(), row.names = FALSE, quote = FALSE, na = "")
