  const double lift = a / u;
  return 1 / (u * (1 + lift) * (1 + lift));
