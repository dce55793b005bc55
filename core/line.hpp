// Builds one line of text without allocating and without stdio, for messages that must also come
// out of a signal handler or a dying process. What does not fit is cut.
#pragma once

#include "os.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace libwire {

class Line {
public:
  Line &add(const char *text) {
    for (; *text && length_ < kCapacity; ++text)
      text_[length_++] = *text;
    return *this;
  }

  Line &add_hex(std::uintptr_t value) { return add("0x").add_digits<16>(value); }

  Line &add_address(const void *address) {
    return add_hex(reinterpret_cast<std::uintptr_t>(address));
  }

  Line &add_number(std::uint64_t value) { return add_digits<10>(value); }

  void clear() { length_ = 0; }

  // What has been added so far.
  const char *text() {
    text_[length_] = '\0';
    return text_;
  }

  void write_to(int fd) {
    text_[length_++] = '\n';
    for (std::size_t done = 0; done < length_;) {
      ssize_t wrote = os::write(fd, text_ + done, length_ - done);
      if (wrote <= 0)
        break;
      done += std::size_t(wrote);
    }
  }

private:
  // Not inline: messages are rare, and there are many.
  template <int Base> [[gnu::noinline]] Line &add_digits(std::uint64_t value) {
    char digits[21] = {};
    std::to_chars(digits, digits + sizeof digits - 1, value, Base);
    return add(digits);
  }

  static constexpr std::size_t kCapacity = 255;
  std::size_t length_ = 0;
  char text_[kCapacity + 1];
};

} // namespace libwire
