  const double cut = std::clamp(r, 0.8, 1.28);
  const bool depends = r * advantage <= cut * advantage;  // else the constant branch decides
  return {std::min(r * advantage, cut * advantage), depends ? r * advantage : 0};
