  record(
      "softplus", y,
      [x = Saved("softplus", x), to = x.node()](const auto& dy) {
        Tensor<double> dx(dy.shape());
        for (Index i = 0; i < dx.numel(); ++i)
          dx.data()[i] = dy.data()[i] / (1 + std::exp(-x.data()[i]));
        to->take(std::move(dx));
      },
      x);
