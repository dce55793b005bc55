// Writes JSON into memory that the caller has made sure is large enough.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>

namespace libwire {

class JsonText {
public:
  explicit JsonText(char *at) : at_(at) {}

  char *end() const { return at_; }

  // Text as it is.
  JsonText &add(const char *text) {
    std::size_t length = std::strlen(text);
    std::memcpy(at_, text, length);
    at_ += length;
    return *this;
  }

  JsonText &add(std::uint64_t value) {
    at_ = std::to_chars(at_, at_ + kDigits, value).ptr;
    return *this;
  }

  // Nanoseconds as microseconds, to the last digit.
  JsonText &add_time(std::uint64_t nanoseconds) {
    add(nanoseconds / 1000);
    auto rest = unsigned(nanoseconds % 1000);
    *at_++ = '.';
    for (unsigned unit = 100; unit; unit /= 10)
      *at_++ = char('0' + rest / unit % 10);
    return *this;
  }

  // A string, in quotes; at most kEscaped bytes for each of its own. What is not UTF-8 becomes
  // U+FFFD.
  JsonText &add_string(const char *text) {
    *at_++ = '"';
    while (*text) {
      auto byte = static_cast<unsigned char>(*text);
      int length = sequence(text);
      if (!length) {
        add("\\ufffd");
        length = 1;
      } else if (byte < 0x20) {
        add("\\u00");
        *at_++ = "0123456789abcdef"[byte >> 4];
        *at_++ = "0123456789abcdef"[byte & 15];
      } else {
        if (byte == '"' || byte == '\\')
          *at_++ = '\\';
        std::memcpy(at_, text, std::size_t(length));
        at_ += length;
      }
      text += length;
    }
    *at_++ = '"';
    return *this;
  }

  static constexpr std::size_t kEscaped = 6;

private:
  static constexpr std::size_t kDigits = 20; // of the largest number

  // The length of the character that begins here; 0 when it is none. Overlong forms, surrogates and
  // what is past U+10FFFF are none.
  static int sequence(const char *text) {
    auto byte = [&](int at) { return unsigned(static_cast<unsigned char>(text[at])); };
    unsigned first = byte(0);
    if (first < 0x80)
      return 1;
    int length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; ++i)
      if ((byte(i) & 0xc0) != 0x80) // the NUL at the end, too
        return 0;
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
        (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f))
      return 0;
    return length;
  }

  char *at_;
};

} // namespace libwire
