  return accuracy_score(in) * std::min(1.0, 30 / std::max(1.0, words));
