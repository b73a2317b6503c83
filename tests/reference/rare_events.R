# Reference figures for Mantel-Haenszel and Peto: metafor and metadat. Writes rare_events.json beside itself.
#   Rscript tests/reference/rare_events.R
suppressMessages({library(metafor); library(metadat); library(jsonlite)})

tables <- list(
  bcg = with(dat.bcg, data.frame(ai = tpos, n1i = tpos + tneg, ci = cpos, n2i = cpos + cneg)),
  nielweise2007 = with(dat.nielweise2007, data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  yusuf1985 = with(subset(dat.yusuf1985, !is.na(ai)), data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  collins1985a = with(subset(dat.collins1985a, !is.na(b.xti)),
                      data.frame(ai = b.xti, n1i = nti, ci = b.xci, n2i = nci)),
  hine1989 = with(dat.hine1989, data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  egger2001 = with(dat.egger2001, data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  li2007 = with(dat.li2007, data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  laopaiboon2015 = with(dat.laopaiboon2015, data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  linde2005 = with(subset(dat.linde2005, !is.na(ai)), data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  fine1993_year2 = with(subset(dat.fine1993, !is.na(e2i)), data.frame(ai = e2i, n1i = nei, ci = c2i, n2i = nci)),
  graves2010 = with(dat.graves2010, data.frame(ai = ai, n1i = n1i, ci = ci, n2i = n2i)),
  single = data.frame(ai = 4, n1i = 20, ci = 9, n2i = 21),
  two_with_zero = data.frame(ai = c(0, 3), n1i = c(15, 30), ci = c(2, 6), n2i = c(16, 28)),
  double_zero = data.frame(ai = c(0, 1, 0), n1i = c(12, 40, 30), ci = c(0, 3, 2), n2i = c(14, 20, 30))
)
tables <- lapply(tables, function(d) { d[] <- lapply(d, as.numeric); subset(d, n1i >= ai & n2i >= ci) })

one <- function(d) {
  fits <- list()
  for (m in c("OR", "RR", "RD")) {
    f <- rma.mh(ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = d, measure = m)
    fits[[m]] <- list(estimate = c(f$beta), se = f$se, lower = f$ci.lb, upper = f$ci.ub, p = f$pval,
                      q = f$QE, q_p = f$QEp, i2 = f$I2, weights = as.numeric(weights(f)))
    if (m == "OR") fits[[m]] <- c(fits[[m]], list(cmh = f$MH, cmh_p = f$MHp, bd = f$BD, tarone = f$TA,
                                                  tarone_p = f$TAp, tarone_df = f$k.pos - 1))
  }
  f <- rma.peto(ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = d)
  fits$peto <- list(estimate = c(f$beta), se = f$se, lower = f$ci.lb, upper = f$ci.ub, p = f$pval,
                    q = f$QE, q_p = f$QEp, i2 = f$I2)
  list(data = as.list(d), fits = fits)
}
out <- lapply(tables, one)
meta <- list(metafor = as.character(packageVersion("metafor")), metadat = as.character(packageVersion("metadat")))
write(toJSON(list(versions = meta, cases = out), digits = 14, auto_unbox = TRUE, na = "null", null = "null", pretty = 1),
      file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "rare_events.json"))
