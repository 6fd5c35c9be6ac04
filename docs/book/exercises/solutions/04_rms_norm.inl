  double dot = 0;  // ds = dot, and d(s)/dx_j = -s^3 x_j / C
  for (std::size_t j = 0; j < x.size(); ++j) dot += dy[j] * x[j];
  for (std::size_t j = 0; j < x.size(); ++j)
    dx[j] = s * dy[j] - s * s * s * x[j] * dot / static_cast<double>(x.size());
