  moments.m = beta1 * moments.m + (1 - beta1) * g;
  moments.v = beta2 * moments.v + (1 - beta2) * g * g;
  const double m = moments.m / (1 - std::pow(beta1, t)), v = moments.v / (1 - std::pow(beta2, t));
  return w - rate * (m / (std::sqrt(v) + eps) + decay * w);
