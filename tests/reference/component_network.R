# Writes component_network.json: network models by metafor, which needs them written as meta-regressions.
# Run in this folder with metafor 3.8-1, metadat 1.2-0 and jsonlite: Rscript component_network.R
suppressMessages({library(metafor); library(jsonlite)})
num <- function(x) unname(as.numeric(x))

# COPD exacerbations (Baker 2009): all pairwise log odds ratios; .5 is added to every cell of a study with a zero.
arms <- dat.baker2009
arms$study <- paste(arms$study, arms$year)
rows <- list()
for (s in unique(arms$study)) {
  a <- arms[arms$study == s, ]
  if (all(a$exac == a$total) || all(a$exac == 0)) next
  add <- if (any(a$exac == 0 | a$exac == a$total)) .5 else 0
  x <- a$exac + add; y <- a$total - a$exac + add
  for (i in seq_len(nrow(a) - 1)) for (j in (i + 1):nrow(a))
    rows[[length(rows) + 1]] <- data.frame(study_id = s, treat1 = a$treatment[i], treat2 = a$treatment[j],
      yi = log(x[i] * y[j] / (x[j] * y[i])), vi = 1 / x[i] + 1 / y[i] + 1 / x[j] + 1 / y[j], n1 = a$total[i], n2 = a$total[j])
}
baker <- do.call(rbind, rows)

# Depression (Linde 2016), drug trials of two arms only, common effect.
linde <- subset(dat.linde2016, !id %in% id[duplicated(id)])
linde <- data.frame(study_id = linde$id, treat1 = linde$treat1, treat2 = linde$treat2, yi = linde$lnOR, vi = linde$selnOR^2)
drugs <- c("Placebo", "SSRI", "TCA", "SNRI", "NRI", "NaSSa", "Low-dose SARI", "rMAO-A", "Hypericum")
linde <- subset(linde, treat1 %in% drugs & treat2 %in% drugs)
design <- function(d, inactive) {
  parts <- function(x) setdiff(trimws(strsplit(x, "+", fixed = TRUE)[[1]]), inactive)
  comps <- sort(unique(unlist(lapply(c(d$treat1, d$treat2), parts))))
  X <- t(sapply(seq_len(nrow(d)), function(i) (comps %in% parts(d$treat1[i])) - (comps %in% parts(d$treat2[i]))))
  colnames(X) <- comps
  X
}
X <- design(linde, "Placebo")
fixed <- rma(yi, vi, mods = X, intercept = FALSE, data = linde, method = "FE")
q <- deviance(lm(yi ~ X - 1, data = linde, weights = 1 / vi))
two_arm <- list(contrasts = linde, components = rownames(fixed$beta), estimate = num(fixed$beta), se = num(fixed$se),
                q = q, df = fixed$k - fixed$p)

# Baker by rma.mv at a fixed tau2: contrasts against the first arm, correlation 1/2 of the random effects.
basis <- do.call(rbind, lapply(split(baker, baker$study_id), function(d) d[d$treat1 == d$treat1[1], ]))
V <- bldiag(lapply(split(baker, baker$study_id), function(d) {
  first <- d[d$treat1 == d$treat1[1], ]
  V <- diag(first$vi, nrow(first))
  for (i in seq_len(nrow(first))) for (j in seq_len(nrow(first))) if (i != j) {
    other <- d$vi[(d$treat1 == first$treat2[i] & d$treat2 == first$treat2[j]) | (d$treat1 == first$treat2[j] & d$treat2 == first$treat2[i])]
    V[i, j] <- (first$vi[i] + first$vi[j] - other) / 2
  }
  V
}))
basis$contrast <- ave(seq_len(nrow(basis)), basis$study_id, FUN = seq_along)
Xb <- design(basis, "Placebo")
mv <- rma.mv(yi, V, mods = Xb, intercept = FALSE, random = ~ contrast | study_id, struct = "CS", tau2 = .0101, rho = .5, data = basis)
mv0 <- rma.mv(yi, V, mods = Xb, intercept = FALSE, data = basis)
multi_arm <- list(contrasts = baker, components = colnames(Xb), tau2 = .0101, estimate = num(mv$beta), se = num(mv$se), q = mv0$QE, df = mv0$k - mv0$p)

# Diabetes (Senn 2013): mean differences against the first arm, with arm-level variances.
senn <- do.call(rbind, lapply(split(dat.senn2013, dat.senn2013$study), function(a) data.frame(
  study_id = a$study[1], treat1 = a$treatment[-1], treat2 = a$treatment[1], yi = a$mi[-1] - a$mi[1],
  vi = a$sdi[-1]^2 / a$ni[-1] + a$sdi[1]^2 / a$ni[1], var1 = a$sdi[-1]^2 / a$ni[-1], var2 = a$sdi[1]^2 / a$ni[1],
  n1 = a$ni[-1], n2 = a$ni[1])))
write_json(list(software = paste("metafor", packageVersion("metafor"), "metadat", packageVersion("metadat")),
                two_arm = two_arm, multi_arm = multi_arm, diabetes = senn), "component_network.json", digits = NA, auto_unbox = TRUE, pretty = FALSE)
