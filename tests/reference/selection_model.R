# Writes selection_model.json: step-function selection models by metafor.
# Run in this folder with metafor 3.8-1, metadat 1.2-0 and jsonlite: Rscript selection_model.R
suppressMessages({library(metafor); library(jsonlite)})

bcg <- escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
raudenbush <- dat.raudenbush1985
hackshaw <- dat.hackshaw1998
baskerville <- escalc("SMD", yi = smd, sei = se, data = transform(dat.baskerville2012, smd = smd, se = se))
bangert <- dat.bangertdrowns2004
linde <- escalc("RR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.linde2005)
lehmann <- dat.lehmann2018
hart <- escalc("IRR", x1i = x1i, x2i = x2i, t1i = t1i, t2i = t2i, data = dat.hart1999)
sets <- list(
  list("bcg_less", bcg, .025, "less"),
  list("bcg_two_steps", bcg, c(.025, .5), "less"),
  list("raudenbush", raudenbush, .025, "greater"),
  list("raudenbush_two_sided", raudenbush, .05, "two.sided"),
  list("hackshaw_3psm", hackshaw, .025, "greater"),
  list("hackshaw_vevea_hedges", hackshaw, c(.025, .1, .5), "greater"),
  list("baskerville", baskerville, c(.05, .5), "greater"),
  list("bangert", bangert, .025, "greater"),
  list("bangert_steps", bangert, c(.025, .1, .5), "greater"),
  list("linde", linde, c(.001, .05), "greater"),
  list("lehmann", lehmann, c(.025, .5), "greater"),
  list("hart", hart, .025, "less")
)
num <- function(x) unname(as.numeric(x))
one <- function(set, delta = NULL) {
  yi <- num(set[[2]]$yi); vi <- num(set[[2]]$vi); keep <- !is.na(yi) & !is.na(vi) & vi > 0; 
  yi <- yi[keep]; vi <- vi[keep]
  fit <- rma(yi, vi, method = "ML", control = list(threshold = 1e-12, maxiter = 10000))
  control <- list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 2000)
  args <- list(fit, type = "stepfun", steps = set[[3]], alternative = set[[4]], control = control)
  if (!is.null(delta)) args$delta <- delta
  s <- do.call(selmodel, args)
  list(name = set[[1]], yi = yi, vi = vi, steps = I(set[[3]]), alternative = set[[4]], fixed_delta = delta,
       estimate = num(s$beta), se = num(s$se), ci = c(s$ci.lb, s$ci.ub), tau2 = s$tau2, tau2_se = s$se.tau2,
       delta = I(num(s$delta)), delta_se = I(num(s$se.delta)), ll = num(logLik(s)), lrt = s$LRT, lrt_df = s$LRTdf, lrt_p = s$LRTp,
       tau2_lrt = s$LRT.tau2, tau2_lrt_p = s$LRTp.tau2, counts = I(num(s$ptable$k)), unadjusted = num(fit$beta))
}
out <- lapply(sets, function(s) tryCatch(one(s), error = function(e) {print(s[[1]]); print(conditionMessage(e)); NULL}))
out <- Filter(Negate(is.null), out)
fixed <- list("vevea_woods_2005", hackshaw, c(.05, .1, .5), "greater")
out <- c(out, list(one(fixed, delta = c(1, .9, .7, .5))))
write_json(list(software = paste("metafor", packageVersion("metafor"), "metadat", packageVersion("metadat")), cases = out),
           "selection_model.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null", pretty = TRUE)
