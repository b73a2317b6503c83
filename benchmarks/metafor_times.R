# Times and results of metafor on the data of side_by_side.py, as JSON on standard output:
#   Rscript benchmarks/metafor_times.R '{"yi": [...], "vi": [...], "repeats": 2}'
# Rows of "scaled" were timed on a part of the work and multiplied up; "part" says how much was run.
suppressPackageStartupMessages({library(metafor); library(jsonlite)})
given <- fromJSON(commandArgs(trailingOnly = TRUE)[1])
y12 <- given$yi[1:12]; v12 <- given$vi[1:12]; y16 <- given$yi[1:16]; v16 <- given$vi[1:16]

fastest <- function(work, repeats) {
  clock <- function() sum(proc.time()[1:2])  # processor seconds
  min(sapply(seq_len(repeats), function(i) { start <- clock(); work(); clock() - start }))
}
many_fits <- function(fits) for (i in seq_len(fits)) rma(y12, v12, method = "REML", test = "knha")

fit <- rma(y12, v12, method = "REML", test = "knha")
tight <- list(threshold = 1e-12, maxiter = 1000)  # for the results that are compared; times are at metafor's defaults
exact <- rma(y12, v12, method = "REML", test = "knha", control = tight)
plain <- rma(y12, v12, method = "REML")
plain16 <- rma(y16, v16, method = "REML")
sink(nullfile())
every <- gosh(plain, progbar = FALSE)
permuted <- permutest(plain, exact = TRUE, progbar = FALSE)
seconds <- c(
  fit = fastest(function() many_fits(20), 5) / 20,
  leave_one_out = fastest(function() leave1out(fit), 10),
  influence = fastest(function() influence(plain), 10),
  gosh_12 = fastest(function() gosh(plain, progbar = FALSE), given$repeats),
  gosh_16 = fastest(function() gosh(plain16, subsets = 2000, progbar = FALSE), given$repeats) * 65535 / 2000,
  permutation = fastest(function() permutest(plain, exact = TRUE, progbar = FALSE), given$repeats),
  simulated = fastest(function() many_fits(200), given$repeats) / 200 * 1e5,
  sweep = fastest(function() many_fits(200), given$repeats) / 200 * 10017
)
sink()
of_all <- every$res[order(every$res$k, every$res[, ncol(every$res)]), ]
cat(toJSON(list(
  version = as.character(packageVersion("metafor")), R = R.version.string, seconds = as.list(seconds),
  part = list(gosh_16 = "2,000 of 65,535 subsets", simulated = "200 fits", sweep = "200 fits"),
  estimate = as.numeric(exact$beta), ci = c(exact$ci.lb, exact$ci.ub), leave_one_out = leave1out(exact)$estimate,
  cook_d = influence(rma(y12, v12, method = "REML", control = tight))$inf$cook.d, gosh = sort(of_all[, ncol(of_all)]), permutation_p = permuted$pval
), digits = 15, auto_unbox = TRUE))
