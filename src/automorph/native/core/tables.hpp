// Looks levels up in tables that Python has computed.
#pragma once
#include <cstdint>
#include <cstring>

#include "kernels.hpp"
#include "plain.hpp"
#include "step.h"

namespace {

class LookUp {
 public:
  static constexpr bool IN_PLACE = true;

  explicit LookUp(const Step &step) : tables_(int(step.count / 256)) {}

  explicit operator bool() const { return true; }

  // `values`: one table of 256 levels, or one for each colour.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    Table tables[COLOURS<C>];
    for (int c = 0; c < COLOURS<C>; ++c)
      for (int v = 0; v < 256; ++v)
        tables[c].at[v] = uint8_t(values[(tables_ > 1 ? c : 0) * 256 + v]);
    const int64_t pixels = int64_t(in.height) * in.width;
    if (tables_ == 1 && C != 4) return K::look_up_all(in.data, out, pixels * C, tables[0]);
    K::template look_up<C>(in.data, out, pixels, tables);
  }

 private:
  const int tables_;
};

// Puts the channels in another order.
class Shuffle {
 public:
  static constexpr bool IN_PLACE = true;

  explicit Shuffle(const Step &) {}

  explicit operator bool() const { return true; }

  // `values`: the number of the channel that each colour is taken from.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    int from[COLOURS<C>];
    for (int c = 0; c < COLOURS<C>; ++c) from[c] = int(values[c]);
    const int64_t pixels = int64_t(in.height) * in.width;
    for (int64_t p = 0; p < pixels; ++p) {
      uint8_t pixel[COLOURS<C>];
      for (int c = 0; c < COLOURS<C>; ++c) pixel[c] = in.data[p * C + from[c]];
      std::memcpy(out + p * C, pixel, COLOURS<C>);
    }
  }
};

}  // namespace
