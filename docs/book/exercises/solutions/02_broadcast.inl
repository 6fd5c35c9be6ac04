  for (Index i = 0; i < n * c; ++i)
    dbias[static_cast<std::size_t>(i % c)] += dy[static_cast<std::size_t>(i)];
