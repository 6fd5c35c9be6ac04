  for (Index p = 0; p < k; ++p)
    for (Index q = 0; q < width; ++q) panel[p * width + q] = b[(j + q) * k + p];
