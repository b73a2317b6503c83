# Reference figures for meta-regression: metafor::rma(mods = ) and permutest. Writes meta_regression.json beside itself.
#   Rscript tests/reference/meta_regression.R
suppressMessages({library(metafor); library(metadat); library(jsonlite)})

bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
writing <- subset(dat.bangertdrowns2004, !is.na(wic) & !is.na(meta) & !is.na(length))
raudenbush <- subset(dat.raudenbush1985, !is.na(weeks))
sets <- list(
  bcg_ablat = list(d = bcg, X = ~ ablat),
  bcg_two = list(d = bcg, X = ~ ablat + year),
  bcg_alloc = list(d = bcg, X = ~ alloc),
  writing = list(d = writing, X = ~ length + wic + meta),
  raudenbush_weeks = list(d = raudenbush, X = ~ weeks),
  mcdaniel = list(d = subset(escalc(measure = "ZCOR", ri = ri, ni = ni, data = dat.mcdaniel1994), !is.na(struct)), X = ~ struct + type),
  four_studies = list(d = data.frame(yi = c(-0.9, -0.3, 0.2, -0.5), vi = c(0.09, 0.04, 0.16, 0.05), x = c(1, 2, 4, 3)), X = ~ x),
  no_residual = list(d = data.frame(yi = c(0.1, 0.22, 0.31, 0.39, 0.5), vi = c(0.1, 0.05, 0.2, 0.1, 0.08), x = 1:5), X = ~ x),
  wide = list(d = data.frame(yi = c(0.1, 0.5, -0.2, 0.9, 0.3, 0.6), vi = c(1e-6, 1e-4, 1e-2, 1, 10, 100), x = c(1, 5, 2, 8, 3, 4)), X = ~ x)
)
figures <- function(f, base) list(
  coefficients = c(f$beta), se = f$se, p = f$pval, lower = f$ci.lb, upper = f$ci.ub, tau2 = f$tau2, i2 = f$I2, h2 = f$H2,
  r2 = if (is.null(f$R2)) NA else f$R2, q = f$QE, q_p = f$QEp, qm = f$QM, qm_p = f$QMp)
out <- list()
for (n in names(sets)) {
  d <- sets[[n]]$d; X <- sets[[n]]$X
  fits <- list()
  for (m in c("FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB")) for (t in c("z", "knha", "adhoc")) {
    f <- tryCatch(suppressWarnings(rma(yi, vi, mods = X, data = d, method = m, test = t,
                  control = list(threshold = 1e-12, maxiter = 10000, tol = 1e-12))), error = function(e) NULL)
    if (!is.null(f)) fits[[paste(m, t)]] <- figures(f)
  }
  f <- tryCatch(rma(yi, vi, mods = X, data = d, control = list(threshold = 1e-12, maxiter = 10000)), error = function(e) NULL)
  ci <- if (is.null(f)) c(NA, NA) else unname(confint(f)$random["tau^2", 2:3])
  out[[n]] <- list(yi = as.numeric(d$yi), vi = as.numeric(d$vi), X = model.matrix(X, d)[, -1, drop = FALSE],
                   tau2_ci = ci, fits = fits)
}
exact <- list()
slow <- list(stepadj = 0.5, maxiter = 10000, threshold = 1e-10)  # so that every permuted model converges
d <- bcg[1:7, ]
for (t in c("z", "knha")) {
  for (x in c("alloc", "ablat")) {
    f <- if (x == "alloc") rma(yi, vi, mods = ~ I(alloc == "random"), data = d, test = t, control = slow) else
      rma(yi, vi, mods = ~ ablat, data = d[1:6, ], test = t, control = slow)
    p <- permutest(f, exact = TRUE, progbar = FALSE)
    exact[[paste(x, t)]] <- list(yi = as.numeric(f$yi), vi = f$vi, x = unname(f$X[, 2]), p = p$pval, qm_p = p$QMp)
  }
}
out <- list(versions = list(metafor = as.character(packageVersion("metafor")), metadat = as.character(packageVersion("metadat"))),
            cases = out, permutation = exact)
write(toJSON(out, digits = 14, auto_unbox = TRUE, na = "null", null = "null", pretty = 1),
      file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "meta_regression.json"))
