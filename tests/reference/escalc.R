# Reference figures for tests/effects/test_escalc_reference.py.
# Run from the repository root: Rscript tests/reference/escalc.R > tests/reference/escalc.csv
suppressMessages(library(metafor))
stopifnot(packageVersion("metafor") == "3.8.1")

columns <- c("ai", "bi", "ci", "di", "n1i", "n2i", "m1i", "m2i", "sd1i", "sd2i", "ti", "xi", "ri", "ni")
rows <- list()
add_rows <- function(measure, vtype = "LS", to = "", grid) {
   arguments <- c(list(measure = measure, data = grid), if (vtype != "LS") list(vtype = vtype), if (to != "") list(to = to))
   for (column in names(grid)) arguments[[column]] <- grid[[column]]
   result <- suppressWarnings(do.call(escalc, c(arguments, list(append = FALSE))))
   for (column in setdiff(columns, names(grid))) grid[[column]] <- NA
   rows[[length(rows) + 1]] <<- data.frame(measure = measure, vtype = vtype, to = to, grid[columns],
                                           yi = as.vector(result$yi), vi = as.vector(result$vi))
}

means <- rbind(
   expand.grid(m1i = c(-3, 0, 7), m2i = c(6.5, 1e-6), sd1i = c(0, 0.01, 2.38), sd2i = c(0, 2.21, 80),
               n1i = c(2, 10), n2i = c(2, 25)),
   expand.grid(m1i = c(1e6, 1e-9), m2i = c(2e6, 5), sd1i = c(1e-3, 1e4), sd2i = 3, n1i = c(2, 100000), n2i = c(7, 5000)),
   data.frame(m1i = NA, m2i = 1, sd1i = 1, sd2i = 1, n1i = 10, n2i = 10))
for (measure in c("MD", "SMD", "SMDH", "ROM")) add_rows(measure, grid = means)
for (vtype in c("UB", "LS2")) add_rows("SMD", vtype, grid = means)
for (vtype in c("UB", "HO")) add_rows("MD", vtype, grid = means)
add_rows("ROM", "HO", grid = means)
add_rows("SMD", grid = expand.grid(di = c(-2, 0, 0.3), n1i = c(2, 40), n2i = c(2, 9)))
add_rows("SMD", grid = expand.grid(ti = c(-2.1, 0, 1.96), n1i = c(2, 40), n2i = c(2, 9)))

paired <- rbind(
   expand.grid(m1i = c(-3, 7), m2i = c(6.5, 1e-6), sd1i = c(0, 0.01, 2.38), sd2i = c(0, 2.21, 80),
               ri = c(-1, 0.68, 1), ni = c(2, 10, 5000)),
   data.frame(m1i = 1, m2i = 1, sd1i = 1, sd2i = 1, ri = NA, ni = 10))
for (measure in c("MC", "SMCC", "SMCR", "ROMC")) add_rows(measure, grid = if (measure == "SMCR") paired[names(paired) != "sd2i"] else paired)
add_rows("SMCC", "LS2", grid = paired)
add_rows("SMCR", "LS2", grid = paired[names(paired) != "sd2i"])

tables <- expand.grid(ai = c(0, 1, 4, 119), bi = c(0, 3, 11884), ci = c(0, 2, 60), di = c(0, 1, 500))
tables <- subset(tables, ai + bi > 0 & ci + di > 0)
tables <- rbind(tables, data.frame(ai = NA, bi = 1, ci = 1, di = 1))
totals <- with(tables, data.frame(ai = ai, n1i = ai + bi, ci = ci, n2i = ci + di))
for (measure in c("OR", "RR", "RD", "AS", "PETO")) {
   add_rows(measure, grid = tables)
   add_rows(measure, grid = totals)
   for (to in c("all", "if0all", "none")) add_rows(measure, to = to, grid = tables)
}
add_rows("RD", "UB", grid = tables)

proportions <- rbind(expand.grid(xi = c(0, 1, 2), ni = c(2, 17, 1e6)), data.frame(xi = c(17, 16, NA), ni = c(17, 17, 9)))
for (measure in c("PR", "PLN", "PLO", "PAS", "PFT")) {
   add_rows(measure, grid = proportions)
   for (to in c("all", "if0all", "none")) add_rows(measure, to = to, grid = proportions)
}
add_rows("PR", "UB", grid = proportions)

result <- do.call(rbind, rows)
for (column in c("yi", "vi")) result[[column]] <- ifelse(is.na(result[[column]]), NA, sprintf("%.15g", result[[column]]))
write.csv(result, stdout(), row.names = FALSE, quote = FALSE, na = "")
