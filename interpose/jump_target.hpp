// The stack pointer in a jmp_buf of glibc, which scrambles it with a number of the process. A
// jmp_buf of one's own, in which it is known, tells the number.
#pragma once

#include <cstdint>
#include <setjmp.h>

namespace libwire::interpose {

extern "C" int own_setjmp(struct __jmp_buf_tag *) __asm__("_setjmp") __attribute__((returns_twice));

#if defined(__x86_64__)
inline uintptr_t scrambled_stack_pointer(const struct __jmp_buf_tag *buffer) {
  auto value = uintptr_t(buffer->__jmpbuf[6]);
  return value >> 17 | value << 47;
}
#define WIRE_READ_STACK_POINTER "mov %%rsp, %0"
#elif defined(__aarch64__)
inline uintptr_t scrambled_stack_pointer(const struct __jmp_buf_tag *buffer) {
  return uintptr_t(buffer->__jmpbuf[13]);
}
#define WIRE_READ_STACK_POINTER "mov %0, sp"
#endif

// 0 when it is not known.
#ifdef WIRE_READ_STACK_POINTER
[[gnu::noinline]] inline uintptr_t stack_pointer_in(const struct __jmp_buf_tag *buffer) {
  jmp_buf own;
  uintptr_t here;
  own_setjmp(own);
  __asm__ volatile(WIRE_READ_STACK_POINTER : "=r"(here));
  return scrambled_stack_pointer(buffer) ^ scrambled_stack_pointer(own) ^ here;
}
#undef WIRE_READ_STACK_POINTER
#else
inline uintptr_t stack_pointer_in(const struct __jmp_buf_tag *) { return 0; }
#endif

} // namespace libwire::interpose
