# Reference figures for binomial-normal models: metafor::rma.glmm with lme4 and BiasedUrn. Writes glmm.json beside itself.
#   Rscript tests/reference/glmm.R
# nAGQ = 21 where lme4 allows it, so that its quadrature error stays below the tolerance of the comparison; tight
# convergence for the same reason.
suppressMessages({library(metafor); library(metadat); library(jsonlite)})
tight <- function(tolerance) list(glmerCtrl = list(optimizer = "bobyqa", tolPwrss = tolerance,
                                                    optCtrl = list(rhoend = 1e-10, rhobeg = 0.1, maxfun = 1e5)))
large_counts <- c("bcg", "graves2010")  # lme4's inner iterations stall there with the tighter tolerance

proportions <- list(
  pritz1997 = with(dat.pritz1997, data.frame(xi = xi, ni = ni)),
  debruin2009 = with(dat.debruin2009, data.frame(xi = xi, ni = ni)),
  rare_harms = data.frame(xi = c(0, 1, 0, 2, 0, 5), ni = c(20, 35, 12, 60, 41, 44)),
  homogeneous = data.frame(xi = c(5, 10, 4), ni = c(20, 40, 16))
)
tables <- list(
  nielweise2007 = with(dat.nielweise2007, data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  bcg = with(dat.bcg, data.frame(ai = tpos, n1i = tpos + tneg, ci = cpos, n2i = cpos + cneg)),
  collins1985b = with(subset(dat.collins1985b, !is.na(pre.xti)),
                      data.frame(ai = pre.xti, n1i = pre.nti, ci = pre.xci, n2i = pre.nci)),
  graves2010 = with(dat.graves2010, data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  small = data.frame(ai = c(2, 0, 5, 1, 7), n1i = c(20, 15, 32, 18, 40), ci = c(6, 3, 6, 6, 9), n2i = c(20, 16, 30, 17, 41))
)
figures <- function(f) list(estimate = c(f$beta), se = f$se, tau2 = f$tau2, sigma2 = if (is.null(f$sigma2)) NA else f$sigma2,
                            loglik = unname(f$fit.stats["ll", "ML"]), i2 = f$I2, q_lrt = f$QE.LRT, q_df = f$QE.df)
fit <- function(call) tryCatch(figures(suppressWarnings(force(call))), error = function(e) list(failed = conditionMessage(e)))

out <- list()
for (n in names(proportions)) {
  d <- proportions[[n]]; d[] <- lapply(d, as.numeric)
  out[[n]] <- list(data = as.list(d), fits = list(PLO = fit(rma.glmm(measure = "PLO", xi = xi, ni = ni, data = d, nAGQ = 21, control = tight(1e-12)))))
}
for (n in names(tables)) {
  d <- tables[[n]]; d[] <- lapply(d, as.numeric)
  fits <- list()
  for (m in c("UM.FS", "UM.RS", "CM.EL", "CM.AL")) {
    if (m == "CM.EL" && n %in% large_counts) next
    control <- if (m == "CM.EL") list() else tight(if (n %in% large_counts) 1e-9 else 1e-12)
    fits[[m]] <- fit(rma.glmm(measure = "OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = d, model = m,
                              nAGQ = if (m == "UM.RS") 1 else 21, control = control))
    cat(n, m, unlist(fits[[m]]), "\n")
  }
  out[[n]] <- list(data = as.list(d), fits = fits)
}
meta <- list(metafor = as.character(packageVersion("metafor")), lme4 = as.character(packageVersion("lme4")),
             BiasedUrn = as.character(packageVersion("BiasedUrn")))
write(toJSON(list(versions = meta, cases = out), digits = 14, auto_unbox = TRUE, na = "null", null = "null", pretty = 1),
      file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "glmm.json"))
