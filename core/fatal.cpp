#include "fatal.hpp"

#include "line.hpp"
#include "scheduler.hpp"

#include <cstdlib>

namespace libwire {

void misuse(const char *function, const char *mistake) {
  Line line;
  line.add("libwire: ").add(function).add(": ").add(mistake);
  if (in_wire())
    line.add(" (in wire '").add(scheduler.current->name).add("')");
  else
    line.add(" (outside wires)");
  line.write_to(2);
  std::abort();
}

} // namespace libwire
