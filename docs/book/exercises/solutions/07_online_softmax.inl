  const double top = std::max(row.top, *std::max_element(scores.begin(), scores.end()));
  const double fade = std::exp(row.top - top);
  row.total *= fade;
  row.mean *= fade;
  row.top = top;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double e = std::exp(scores[i] - top);
    row.total += e;
    row.mean += e * values[i];
  }
