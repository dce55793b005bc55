// What the C++ runtime library knows of the exceptions that are under way belongs to the thread:
// those that `catch` blocks handle, and how many are on their way to one. While a wire is suspended
// in such a block that is kept on its stack, and the other wires begin without any.
#pragma once

namespace libwire::interpose {

// As the ABI of C++ has it; its two functions give this.
struct ExceptionState {
  void *caught;
  unsigned uncaught;
};

extern __thread __attribute__((visibility("hidden"))) ExceptionState exception_state;

// While the wire may be suspended. A wire that is cancelled meanwhile leaves nothing behind.
class Exceptions {
public:
  Exceptions() : saved_(exception_state) { exception_state = {}; }
  ~Exceptions() { exception_state = saved_; }
  Exceptions(const Exceptions &) = delete;
  Exceptions &operator=(const Exceptions &) = delete;

private:
  ExceptionState saved_;
};

} // namespace libwire::interpose
