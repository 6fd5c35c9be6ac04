  return {a / b, 1 / b, -a / (b * b)};
