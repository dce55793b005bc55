// Builds one line of text without allocating and without stdio, for messages that must also come
// out of a signal handler or a dying process. What does not fit is cut.
#pragma once

#include "os.hpp"

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

  Line &add_hex(std::uintptr_t value) {
    add("0x");
    bool started = false;
    for (int shift = int(sizeof value) * 8 - 4; shift >= 0; shift -= 4) {
      unsigned digit = unsigned(value >> shift) & 15;
      started = started || digit != 0 || shift == 0;
      if (started)
        add_char("0123456789abcdef"[digit]);
    }
    return *this;
  }

  Line &add_address(const void *address) {
    return add_hex(reinterpret_cast<std::uintptr_t>(address));
  }

  Line &add_number(std::uint64_t value) {
    char digits[20];
    int count = 0;
    do {
      digits[count++] = char('0' + value % 10);
      value /= 10;
    } while (value);
    while (count)
      add_char(digits[--count]);
    return *this;
  }

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
  void add_char(char c) {
    if (length_ < kCapacity)
      text_[length_++] = c;
  }

  static constexpr std::size_t kCapacity = 255;
  std::size_t length_ = 0;
  char text_[kCapacity + 1];
};

} // namespace libwire
