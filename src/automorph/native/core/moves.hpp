// Affine maps that Python has computed.
#pragma once
#include <cstdint>

#include "plain.hpp"
#include "resampling.hpp"
#include "step.h"

namespace {

class Move {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Move(const Step &step) : step_(step), fill_(step.fill, step.channels) {}

  explicit operator bool() const { return true; }

  // `values`: the map's six numbers.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *m, int64_t) {
    const Affine map = {{m[0], m[1], m[2], m[3], m[4], m[5]}};
    Resampling<K, C>{fill_, step_.bilinear != 0, step_.outside}.run(in, out, map);
  }

 private:
  const Step &step_;
  const Fill fill_;
};

}  // namespace
