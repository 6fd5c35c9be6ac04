// SPDX-License-Identifier: MIT
// Student's t distribution with any number of degrees of freedom, whole or not.
#pragma once

namespace gaze::phyx {

/// P(T <= t) for `df` degrees of freedom, by the regularised incomplete beta function (Abramowitz
/// and Stegun 26.7.1, 26.5.8). More than 10^6 degrees count as 10^6. Throws Error unless df > 0.
double student_cdf(double t, double df);

/// The t with student_cdf(t, df) = p, to 10 significant digits. Throws Error unless df > 0 and
/// 0 < p < 1.
double student_quantile(double p, double df);

}  // namespace gaze::phyx
