// SPDX-License-Identifier: MIT
// The index arithmetic of patches (kernels/patches.hpp) over all small sizes: both directions
// against the definition, and the CPU's loops against both.
#include <vector>

#include "gaze/cpu/gemm_patches.hpp"
#include "tests/test.hpp"

namespace {

using namespace gaze;

/// Calls f(grid) for windows of all kinds on two images of two channels.
void for_grids(auto f) {
  for (Index height = 1; height < 6; ++height)
    for (Index kernel = 1; kernel < 4; ++kernel)
      for (Index stride = 1; stride < 5; ++stride)
        for (Index padding = 0; padding < 3; ++padding) {
          if (kernel > height + 2 * padding) continue;
          f(PatchGrid{{kernel, 2, stride, 1, padding, 1}, 2, 2, height, 3});
          f(PatchGrid{{2, kernel, 1, stride, 1, padding}, 2, 2, 3, height});
        }
}

/// What the patches show, by the definition: an element of the images or -1.
std::vector<Index> shown(const PatchGrid& g) {
  std::vector<Index> out;
  for (Index image = 0; image < g.images; ++image)
    for (Index y = -g.w.padding_h; y + g.w.kernel_h <= g.height + g.w.padding_h; y += g.w.stride_h)
      for (Index x = -g.w.padding_w; x + g.w.kernel_w <= g.width + g.w.padding_w; x += g.w.stride_w)
        for (Index c = 0; c < g.c; ++c)
          for (Index i = y; i < y + g.w.kernel_h; ++i)
            for (Index j = x; j < x + g.w.kernel_w; ++j) {
              const bool inside = i >= 0 && i < g.height && j >= 0 && j < g.width;
              out.push_back(inside ? ((image * g.c + c) * g.height + i) * g.width + j : -1);
            }
  return out;
}

}  // namespace

TEST_CASE("patches: elements, their inverse and the CPU's loops", "[patches]") {
  for_grids([](const PatchGrid& g) {
    const auto expected = shown(g);
    INFO(g.w.kernel_h << "x" << g.w.kernel_w << " of " << g.height << "x" << g.width);
    REQUIRE(static_cast<Index>(expected.size()) == g.images * g.count() * g.patch());
    const Index elements = g.images * g.c * g.height * g.width;
    std::vector<std::vector<Index>> holders(static_cast<std::size_t>(elements)), found(holders);
    std::vector<Index> got(expected.size()), loops(expected.size(), -2);
    for (std::size_t at = 0; at < expected.size(); ++at) {
      got[at] = g.image_element(static_cast<Index>(at));
      if (expected[at] >= 0)
        holders[static_cast<std::size_t>(expected[at])].push_back(static_cast<Index>(at));
    }
    for (Index of = 0; of < elements; ++of)
      g.for_patch_elements(of,
                           [&](Index at) { found[static_cast<std::size_t>(of)].push_back(at); });
    cpu::detail::for_patch_elements(
        g, [&](Index at, Index of) { loops[static_cast<std::size_t>(at)] = of; });
    CHECK(got == expected);
    CHECK(found == holders);
    CHECK(loops == expected);
  });
}
