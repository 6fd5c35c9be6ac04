// SPDX-License-Identifier: MIT
// Fibres for the emulator: several stacks on one thread. Created with ucontext; switched with
// _setjmp, which makes no system call, or under the address sanitizer with swapcontext and the
// sanitizer's annotations.
#pragma once
#include <csetjmp>
#include <cstddef>
#include <memory>

#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define GAZE_FIBRE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GAZE_FIBRE_ASAN 1
#endif
#endif
#ifdef GAZE_FIBRE_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace gaze::cuda::emulator {

/// One stack. resume() runs it until it calls suspend(); the body never returns.
class Fibre {
 public:
  using Body = void (*)(void*);

  Fibre(Body body, void* argument) : stack_(new std::byte[size]), body_(body), argument_(argument) {
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.get();
    own_.uc_stack.ss_size = size;
    own_.uc_link = nullptr;
    makecontext(&own_, reinterpret_cast<void (*)()>(&Fibre::enter), 0);
  }
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  void resume();
  void suspend();

 private:
#ifdef GAZE_FIBRE_ASAN
  static constexpr std::size_t size = 256 * 1024;
#else
  static constexpr std::size_t size = 64 * 1024;
#endif
  static void enter();

  std::unique_ptr<std::byte[]> stack_;
  Body body_;
  void* argument_;
  ucontext_t own_, caller_;
#ifdef GAZE_FIBRE_ASAN
  const void* caller_stack_ = nullptr;
  std::size_t caller_size_ = 0;
#else
  jmp_buf own_jump_, caller_jump_;
  bool started_ = false;
#endif
};

namespace detail {
inline thread_local Fibre* starting = nullptr;
}

#ifdef GAZE_FIBRE_ASAN

inline void Fibre::resume() {
  void* fake = nullptr;
  detail::starting = this;
  __sanitizer_start_switch_fiber(&fake, stack_.get(), size);
  swapcontext(&caller_, &own_);
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
}

inline void Fibre::suspend() {
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, caller_stack_, caller_size_);
  swapcontext(&own_, &caller_);
  __sanitizer_finish_switch_fiber(fake, &caller_stack_, &caller_size_);
}

inline void Fibre::enter() {
  Fibre* const self = detail::starting;
  __sanitizer_finish_switch_fiber(nullptr, &self->caller_stack_, &self->caller_size_);
  self->body_(self->argument_);
}

#else

inline void Fibre::resume() {
  if (_setjmp(caller_jump_) != 0) return;
  if (started_) _longjmp(own_jump_, 1);
  started_ = true;
  detail::starting = this;
  setcontext(&own_);
}

inline void Fibre::suspend() {
  if (_setjmp(own_jump_) == 0) _longjmp(caller_jump_, 1);
}

inline void Fibre::enter() {
  Fibre* const self = detail::starting;
  self->body_(self->argument_);
}

#endif

}  // namespace gaze::cuda::emulator
