# Writes small_study.json: tests of funnel asymmetry, trim and fill, PET-PEESE and limit meta-analysis.
# Run in this folder with metafor 3.8-1, metadat 1.2-0 and jsonlite: Rscript small_study.R
suppressMessages({library(metafor); library(jsonlite)})
num <- function(x) unname(as.numeric(x))
tight <- list(threshold = 1e-12, maxiter = 10000, stepadj = 1)

sets <- list(
  bcg = escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg),
  bcg_or = escalc("OR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg),
  hackshaw = dat.hackshaw1998,
  raudenbush = dat.raudenbush1985,
  bangert = dat.bangertdrowns2004,
  egger2001 = escalc("OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.egger2001),
  linde = escalc("RR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.linde2005),
  normand = escalc("SMD", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i, data = dat.normand1999),
  hart = escalc("IRR", x1i = x1i, x2i = x2i, t1i = t1i, t2i = t2i, data = dat.hart1999),
  lehmann = dat.lehmann2018,
  collins = escalc("OR", ai = pre.xti, n1i = pre.nti, ci = pre.xci, n2i = pre.nci, data = dat.collins1985b),
  konstantopoulos = dat.konstantopoulos2011
)
fill <- function(yi, vi, estimator, method) {  # NULL where metafor finds no number (Q0 of a root below zero)
  f <- tryCatch(suppressWarnings( trimfill(rma(yi, vi, method = method, control = if (method == "REML") tight else list()), estimator = estimator)), error = function(e) NULL)
  if (is.null(f)) return(NULL)
  list(estimator = estimator, method = method, k0 = f$k0, se_k0 = f$se.k0, p_k0 = f$p.k0, side = f$side, estimate = num(f$beta),
       se = f$se, tau2 = f$tau2, filled_yi = I(num(f$yi.f)[f$fill]), filled_vi = I(num(f$vi.f)[f$fill]))
}
line <- function(yi, vi, x) {
  m <- summary(lm(yi ~ x, weights = 1 / vi))
  list(estimate = unname(m$coefficients[1, 1]), se = unname(m$coefficients[1, 2]), p = unname(m$coefficients[1, 4]),
       slope = unname(m$coefficients[2, 1]), slope_p = unname(m$coefficients[2, 4]))
}
limit <- function(yi, vi, method) {
  fit <- rma(yi, vi, method = method, control = if (method == "REML") tight else list())
  s <- sqrt(vi + fit$tau2)
  radial <- lm(I(yi / s) ~ I(1 / s))
  shrunk <- coef(radial)[[2]] + sqrt(fit$tau2) / s * (yi - coef(radial)[[2]])
  inner <- lm(I(shrunk / sqrt(vi)) ~ I(1 / sqrt(vi)))
  fixed <- lm(I(yi / sqrt(vi)) ~ I(1 / sqrt(vi)))
  unit <- summary(radial)$cov.unscaled
  tau <- sqrt(fit$tau2)
  list(method = method, alpha = coef(radial)[[1]], beta = coef(radial)[[2]], adjusted = coef(radial)[[2]] + tau * coef(radial)[[1]],
       se = sqrt(c(tau, 1) %*% unit %*% c(tau, 1))[1], q = rma(yi, vi, method = "FE")$QE, q_residual = deviance(fixed),
       g2 = 1 - summary(inner)$r.squared)
}
one <- function(name) {
  yi <- num(sets[[name]]$yi); vi <- num(sets[[name]]$vi)
  keep <- !is.na(yi) & !is.na(vi) & vi > 0
  yi <- yi[keep]; vi <- vi[keep]
  lm1 <- regtest(yi, vi, model = "lm")
  rma1 <- regtest(rma(yi, vi, method = "REML", control = tight))
  rmadl <- regtest(yi, vi, model = "rma", method = "DL")
  vi1 <- regtest(yi, vi, model = "lm", predictor = "vi")
  rank <- suppressWarnings(ranktest(yi, vi))
  mixed_pet <- rma(yi, vi, mods = ~ sqrt(vi), control = tight); mixed_peese <- rma(yi, vi, mods = ~ vi, control = tight)
  list(name = name, yi = yi, vi = vi,
       egger_lm = list(t = num(lm1$zval), df = num(lm1$ddf), p = num(lm1$pval), limit = num(lm1$est), ci = c(lm1$ci.lb, lm1$ci.ub)),
       egger_rma = list(z = num(rma1$zval), p = num(rma1$pval), limit = num(rma1$est), ci = num(c(rma1$ci.lb, rma1$ci.ub)), tau2 = rma1$fit$tau2),
       egger_rma_dl = list(z = num(rmadl$zval), p = num(rmadl$pval), limit = num(rmadl$est), tau2 = rmadl$fit$tau2),
       egger_vi = list(t = num(vi1$zval), p = num(vi1$pval), limit = num(vi1$est)),
       begg = list(tau = num(rank$tau), p = num(rank$pval)),
       trim_and_fill = Filter(Negate(is.null), list(fill(yi, vi, "L0", "REML"), fill(yi, vi, "R0", "REML"), fill(yi, vi, "Q0", "FE"), fill(yi, vi, "L0", "FE"), fill(yi, vi, "L0", "DL"))),
       pet = line(yi, vi, sqrt(vi)), peese = line(yi, vi, vi),
       pet_rma = list(estimate = mixed_pet$beta[1], se = mixed_pet$se[1], p = mixed_pet$pval[1]),
       peese_rma = list(estimate = mixed_peese$beta[1], se = mixed_peese$se[1], p = mixed_peese$pval[1]),
       limit = list(limit(yi, vi, "REML"), limit(yi, vi, "DL")))
}
binary <- function(name, ai, n1i, ci, n2i) {
  keep <- complete.cases(ai, n1i, ci, n2i)
  ai <- num(ai)[keep]; n1i <- num(n1i)[keep]; ci <- num(ci)[keep]; n2i <- num(n2i)[keep]
  N <- n1i + n2i; events <- ai + ci; rest <- N - events
  yi <- num(escalc("OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i)$yi)
  peters <- summary(lm(yi ~ I(1 / N), weights = events * rest / N))
  Z <- ai - n1i * events / N; V <- n1i * n2i * events * rest / (N^2 * (N - 1))
  harbord <- summary(lm(I(Z / V) ~ I(1 / sqrt(V)), weights = V))
  list(name = name, ai = ai, n1i = n1i, ci = ci, n2i = n2i,
       peters = list(t = peters$coefficients[2, 3], p = peters$coefficients[2, 4], limit = peters$coefficients[1, 1]),
       harbord = list(t = harbord$coefficients[2, 3], p = harbord$coefficients[2, 4], limit = harbord$coefficients[1, 1]))
}
tables <- list(
  with(dat.bcg, binary("bcg", tpos, tpos + tneg, cpos, cpos + cneg)),
  with(dat.egger2001, binary("egger2001", ai, n1i, ci, n2i)),
  with(dat.linde2005, binary("linde", ai, n1i, ci, n2i))
)
names(tables) <- NULL
write_json(list(software = paste("metafor", packageVersion("metafor"), "metadat", packageVersion("metadat")),
                cases = lapply(names(sets), one), binary = tables), "small_study.json", digits = NA, auto_unbox = TRUE, na = "null", pretty = FALSE)
