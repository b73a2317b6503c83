# Reference figures for dependent effects: metafor::rma.mv and clubSandwich. Writes multilevel.json beside itself.
#   Rscript tests/reference/multilevel.R
suppressMessages({library(metafor); library(metadat); library(clubSandwich); library(jsonlite)})

assink <- dat.assink2016
curtis <- escalc(measure = "ROM", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i, data = subset(dat.curtis1998, !is.na(m1i)))
sets <- list(
  konstantopoulos2011 = with(dat.konstantopoulos2011, data.frame(yi = yi, vi = vi, cluster = district)),
  assink2016 = with(assink, data.frame(yi = yi, vi = vi, cluster = study)),
  knapp2017 = with(dat.knapp2017, data.frame(yi = yi, vi = vi, cluster = study)),
  curtis1998 = with(curtis, data.frame(yi = yi, vi = vi, cluster = paper)),
  crede2010 = with(escalc(measure = "ZCOR", ri = ri, ni = ni, data = subset(dat.crede2010, criterion == "grade")),
                   data.frame(yi = yi, vi = vi, cluster = studyid)),
  three_clusters = data.frame(yi = c(0.1, 0.3, 0.5, 0.4, -0.2, 0.05), vi = c(0.02, 0.04, 0.03, 0.05, 0.02, 0.06), cluster = c(1, 1, 2, 2, 3, 3)),
  homogeneous = data.frame(yi = c(0.1, 0.12, 0.11, 0.13, 0.1), vi = c(0.05, 0.04, 0.03, 0.05, 0.06), cluster = c(1, 1, 2, 3, 3))
)
robust_figures <- function(f, cl) {
  r <- robust(f, cluster = cl, clubSandwich = TRUE)
  list(estimate = c(r$beta), se = r$se, df = r$dfs, p = r$pval, lower = r$ci.lb, upper = r$ci.ub)
}
# the tightest tolerance that converges
mv <- function(...) {
  for (tolerance in c(1e-12, 1e-10, 1e-9, 1e-8)) {
    f <- tryCatch(rma.mv(..., random = ~ 1 | cluster/effect, control = list(rel.tol = tolerance, iter.max = 1000)), error = function(e) NULL)
    if (!is.null(f)) return(f)
  }
}
out <- list()
for (n in names(sets)) {
  d <- sets[[n]]; d$yi <- as.numeric(d$yi); d$vi <- as.numeric(d$vi); d$cluster <- as.integer(factor(d$cluster, unique(d$cluster)))
  d$effect <- seq_len(nrow(d))
  V <- vcalc(vi, cluster = cluster, obs = effect, data = d, rho = 0.5)
  one <- list(yi = d$yi, vi = d$vi, cluster = d$cluster)
  for (v in c("diagonal", "rho_0.5")) {
    S <- if (v == "diagonal") diag(d$vi) else V
    f <- mv(d$yi, S, data = d)
    ft <- mv(d$yi, S, data = d, test = "t", dfs = "contain")
    ml <- mv(d$yi, S, data = d, method = "ML")
    figures <- list(estimate = c(f$beta), se = f$se, lower = f$ci.lb, upper = f$ci.ub, sigma2 = f$sigma2, loglik = f$fit.stats["ll", "REML"], q = f$QE, q_p = f$QEp,
                    pi_lower = predict(f)$pi.lb, pi_upper = predict(f)$pi.ub, t_lower = ft$ci.lb, t_df = unname(c(ft$ddf)), p_t = ft$pval,
                    ml_sigma2 = ml$sigma2, ml_estimate = c(ml$beta), robust = robust_figures(f, d$cluster))
    if (n %in% c("konstantopoulos2011", "assink2016", "three_clusters")) {
      ci <- lapply(1:2, function(i) unname(confint(f, sigma2 = i)$random[1, 2:3]))
      figures$profile <- ci
    }
    one[[v]] <- figures
    cat(n, v, f$sigma2, "\n")
  }
  uni <- rma(yi, vi, data = d, control = list(threshold = 1e-12, maxiter = 10000))
  one$random_effects <- c(robust_figures(uni, d$cluster), list(tau2 = uni$tau2))
  reg <- rma(yi, vi, mods = ~ effect, data = d, control = list(threshold = 1e-12, maxiter = 10000))
  one$regression <- c(robust_figures(reg, d$cluster), list(tau2 = reg$tau2))
  out[[n]] <- one
}
versions <- list(metafor = as.character(packageVersion("metafor")), clubSandwich = as.character(packageVersion("clubSandwich")),
                 metadat = as.character(packageVersion("metadat")))
write(toJSON(list(versions = versions, cases = out), digits = 14, auto_unbox = TRUE, na = "null", null = "null", pretty = 1),
      file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "multilevel.json"))
