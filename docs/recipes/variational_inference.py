"""Variational inference: a posterior found by ascending the ELBO, where the right one is known.

Slopes w of a line have the prior N(0, I), the noise is 1. Among the Gaussians without correlations, N(m,
e²ˢ), the best has the mean of the true posterior, and the variances 1/Λᵢᵢ of its precision Λ = I + XᵀX. By w
= m + eˢε,

    ELBO = E[log p(y, w)] + Σs,   ∂/∂m = E[∇log p],   ∂/∂s = E[∇log p · eˢε] + 1

of which each step sees one sample of ε (Kingma and Welling 2014, arXiv:1312.6114). `maximize=True` ascends; a
rate that falls makes the noise of the samples vanish; the two arrays have rates of their own.
"""

import numpy as np

import gradstep as gs

SAMPLES, FEATURES, STEPS = 200, 6, 4000


def main() -> dict[str, float]:
    """Find means and standard deviations, and compare them with the right ones."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, FEATURES))
    x[:, 1] += 0.5 * x[:, 0]
    y = x @ rng.normal(size=FEATURES) + rng.normal(size=SAMPLES)
    precision = np.eye(FEATURES) + x.T @ x
    mean, deviation = np.linalg.solve(precision, x.T @ y), 1 / np.sqrt(np.diag(precision))

    q = {"mean": np.zeros(FEATURES), "log_sd": np.full(FEATURES, -1.0)}
    fall = gs.schedules.Cosine(1.0, steps=STEPS)
    opt = gs.Adam(q, groups={"mean": {"lr": 0.02 * fall}, "log_sd": {"lr": 0.01 * fall}}, maximize=True)
    for _ in range(STEPS):
        noise = np.exp(q["log_sd"]) * rng.normal(size=FEATURES)
        w = q["mean"] + noise
        of_log_p = x.T @ (y - x @ w) - w
        opt.step({"mean": of_log_p, "log_sd": of_log_p * noise + 1})

    found = np.exp(q["log_sd"])
    for i in range(FEATURES):
        print(f"w{i}: {q['mean'][i]:6.3f} ± {found[i]:.3f}, should be {mean[i]:6.3f} ± {deviation[i]:.3f}")
    return {
        "off by, in standard deviations": float(np.max(np.abs(q["mean"] - mean) / deviation)),
        "largest error of a standard deviation": float(np.max(np.abs(found / deviation - 1))),
    }


if __name__ == "__main__":
    main()
