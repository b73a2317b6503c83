# Reference figures for pooling and its diagnostics, computed with metafor (3.8-1) on metadat's data sets and on
# constructed ones. Writes pooling.json beside itself:
#   Rscript tests/reference/pooling.R tests/reference/pooling.json
# Iterations run to tight tolerances, so that differences left are those of the tested code.
suppressPackageStartupMessages({library(metafor); library(metadat); library(jsonlite)})

tight <- function(yi, vi) {
  scale <- max(var(yi), min(vi))
  list(threshold = 1e-12 * scale, maxiter = 5000, tol = 1e-13 * scale, tau2.max = 1e5 * scale + 10 * max(vi))
}
methods <- c("FE", "DL", "HE", "ML", "REML", "PM", "SJ", "EB")
tests <- c("wald" = "z", "knapp-hartung" = "knha", "knapp-hartung-conservative" = "adhoc")

set <- function(es) {
  es <- es[!is.na(es$yi) & !is.na(es$vi), ]
  list(yi = as.numeric(es$yi), vi = as.numeric(es$vi))
}
plain <- function(yi, vi) list(yi = as.numeric(yi), vi = as.numeric(vi))

yusuf <- dat.yusuf1985[dat.yusuf1985$table == "6", ]
district <- dat.konstantopoulos2011[dat.konstantopoulos2011$district == 644 | dat.konstantopoulos2011$district == 108, ]
sets <- list(
  bcg_rr = set(escalc(data = dat.bcg, measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg)),
  colditz1994_rd = set(escalc(data = dat.colditz1994, measure = "RD", ai = tpos, bi = tneg, ci = cpos, di = cneg)),
  normand1999_md = set(escalc(data = dat.normand1999, measure = "MD", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i)),
  normand1999_smd = set(escalc(data = dat.normand1999, measure = "SMD", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i)),
  raudenbush1985 = plain(dat.raudenbush1985$yi, dat.raudenbush1985$vi),
  hackshaw1998 = plain(dat.hackshaw1998$yi, dat.hackshaw1998$vi),
  li2007_or = set(escalc(data = dat.li2007, measure = "OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  yusuf1985_or = set(escalc(data = yusuf, measure = "OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  molloy2014_zcor = set(escalc(data = dat.molloy2014, measure = "ZCOR", ri = ri, ni = ni)),
  curtis1998_rom = set(escalc(data = dat.curtis1998[1:20, ], measure = "ROM", m1i = m2i, sd1i = sd2i, n1i = n2i, m2i = m1i, sd2i = sd1i, n2i = n1i)),
  konstantopoulos2011 = plain(district$yi, district$vi),
  linde2005_rr = set(escalc(data = dat.linde2005[1:12, ], measure = "RR", ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  bangertdrowns2004 = plain(dat.bangertdrowns2004$yi, dat.bangertdrowns2004$vi),
  hart1999_irr = set(escalc(data = dat.hart1999, measure = "IRR", x1i = x1i, t1i = t1i, x2i = x2i, t2i = t2i)),
  begg1989 = plain(dat.begg1989$yi[1:10], dat.begg1989$vi[1:10]),
  hine1989_rd = set(escalc(data = dat.hine1989, measure = "RD", ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  lee2004_or = set(escalc(data = dat.lee2004, measure = "OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  cohen1981_zcor = set(escalc(data = dat.cohen1981, measure = "ZCOR", ri = ri, ni = ni)),
  # constructed, not evidence
  two_apart = plain(c(-0.2, 1.1), c(0.04, 0.09)),
  two_alike = plain(c(0.30, 0.31), c(0.04, 0.09)),
  three_on_boundary = plain(c(0.50, 0.49, 0.51), c(0.10, 0.05, 0.20)),
  identical_effects = plain(rep(0.3, 5), c(0.01, 0.02, 0.03, 0.04, 0.05)),
  eight_orders = plain(c(0.10, 0.45, -0.20, 0.30, 2.00, -5.00), c(1e-6, 1e-4, 1e-2, 1e-1, 1, 100)),
  tiny_scale = plain(c(1e-5, 3e-5, -2e-5, 4e-5), c(1e-10, 2e-10, 1.5e-10, 4e-10)),
  large_scale = plain(c(1200, 4800, -300, 2500), c(1e4, 4e4, 2.5e4, 9e4)),
  dominated = plain(c(0.00, 1.50, -1.20, 0.90), c(1e-4, 0.5, 0.4, 0.6))
)

fit <- function(d, method, test) suppressWarnings(rma(d$yi, d$vi, method = method, test = test, control = tight(d$yi, d$vi)))
attempt <- function(expr) tryCatch(suppressWarnings(expr), error = function(e) NULL)

pooled <- function(d) {
  k <- length(d$yi)
  out <- list()
  for (method in methods) {
    cells <- list()
    for (ci in names(tests)) {
      r <- attempt(fit(d, method, tests[[ci]]))
      if (is.null(r)) { cells[[ci]] <- NULL; next }
      cell <- list(estimate = r$beta[1], se = r$se, ci = c(r$ci.lb, r$ci.ub), statistic = r$zval, p_value = r$pval)
      if (method != "FE" && k >= 3) {
        p <- predict(r)
        half <- qt(0.975, k - 2) * sqrt(r$tau2 + r$se^2)
        cell$prediction <- c(p$pi.lb, p$pi.ub)
        cell$prediction_k2 <- c(r$beta[1] - half, r$beta[1] + half)
      }
      cells[[ci]] <- cell
      last <- r
    }
    if (length(cells) == 0) next
    out[[method]] <- list(tau2 = last$tau2, tau2_se = if (method == "FE") NA else last$se.tau2, i2 = last$I2, h2 = last$H2,
                          fits = cells)
  }
  out
}

reference <- list()
for (name in names(sets)) {
  d <- sets[[name]]
  cat(name, length(d$yi), "\n")
  entry <- c(d, list(pooled = pooled(d)))
  r <- attempt(fit(d, "DL", "z"))
  entry$q <- r$QE
  entry$q_p <- r$QEp
  ci <- attempt(confint(r, control = tight(d$yi, d$vi)))
  entry$tau2_ci <- as.numeric(ci$random["tau^2", c("ci.lb", "ci.ub")])
  entry$i2_ci <- as.numeric(ci$random["I^2(%)", c("ci.lb", "ci.ub")])
  z <- attempt(fit(d, "REML", "z"))
  if (length(d$yi) > 2 && !is.null(z)) {
    for (test in c("z", "knha")) {
      r <- fit(d, "REML", test)
      i <- attempt(influence(r))
      if (is.null(i)) next
      columns <- as.list(as.data.frame(i$inf))
      columns$dfbs <- as.numeric(i$dfbs[[1]])
      columns$flag <- as.logical(i$is.infl)
      columns$inf <- NULL
      columns$slab <- NULL
      entry[[paste0("influence_", test)]] <- lapply(columns, as.vector)
    }
    l <- attempt(as.data.frame(leave1out(z)))
    if (!is.null(l)) entry$leave_one_out <- as.list(l)
    pdf(NULL)
    b <- attempt(baujat(z))
    if (!is.null(b)) entry$baujat <- list(x = b$x, y = b$y)
    invisible(dev.off())
  }
  reference[[name]] <- entry
}

# every subset of six studies, and cumulative pooling in the order of publication
d <- sets$hine1989_rd
g <- gosh(rma(d$yi, d$vi, control = tight(d$yi, d$vi)), progbar = FALSE)
members <- as.integer(as.matrix(g$incl) %*% 2^(0:5))
reference$hine1989_rd$gosh <- c(list(members = members), as.list(g$res[, c("k", "QE", "I2", "tau2", "estimate")]))
bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
cum <- as.data.frame(cumul(rma(yi, vi, data = bcg, control = tight(bcg$yi, bcg$vi)), order = dat.bcg$year))
reference$bcg_rr$year <- dat.bcg$year
reference$bcg_rr$cumulative <- as.list(cum[, c("estimate", "se", "ci.lb", "ci.ub", "Q", "tau2", "I2", "H2")])

for (name in c("hart1999_irr", "hine1989_rd", "normand1999_smd", "three_on_boundary")) {
  d <- sets[[name]]
  reference[[name]]$permutation <- list(
    wald = permutest(rma(d$yi, d$vi, control = tight(d$yi, d$vi)), exact = TRUE, progbar = FALSE)$pval,
    "knapp-hartung" = permutest(rma(d$yi, d$vi, test = "knha", control = tight(d$yi, d$vi)), exact = TRUE, progbar = FALSE)$pval
  )
}

out <- list(metafor = as.character(packageVersion("metafor")), metadat = as.character(packageVersion("metadat")), sets = reference)
target <- commandArgs(trailingOnly = TRUE)[1]
write(toJSON(out, digits = I(12), auto_unbox = TRUE, na = "null", null = "null"), target)
