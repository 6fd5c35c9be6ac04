// SPDX-License-Identifier: MIT
// The batch that the scheduler steps, without its types: ContinuousBatch, or a test's own.
#pragma once
#include <utility>

#include "gaze/generate/continuous_batch.hpp"
#include "models/packing.hpp"

namespace gaze::phyx::serve {

using BatchRequest = GenerationRequest<models::Prompt>;

/// One thread uses it. The functions are those of ContinuousBatch.
class Batch {
 public:
  virtual ~Batch() = default;
  /// Most tokens of a prompt and its answer together. Constant; any thread may call it.
  virtual Index slots() const = 0;
  virtual bool fits(const BatchRequest& request) const = 0;
  virtual bool ever_fits(const BatchRequest& request) const = 0;
  virtual void add(BatchRequest request) = 0;
  virtual void step() = 0;
  virtual Index running() const = 0;
};

/// A batch of a policy, which must outlive it.
template <class Policy>
class PolicyBatch : public Batch {
 public:
  PolicyBatch(const Policy& policy, Index slots) : batch_(policy, slots) {}

  Index slots() const override { return batch_.slots(); }
  bool fits(const BatchRequest& request) const override { return batch_.fits(request); }
  bool ever_fits(const BatchRequest& request) const override { return batch_.ever_fits(request); }
  void add(BatchRequest request) override { batch_.add(std::move(request)); }
  void step() override { batch_.step(); }
  Index running() const override { return batch_.running(); }

 private:
  ContinuousBatch<Policy> batch_;
};

}  // namespace gaze::phyx::serve
