// Draws the sequence of one example, equal to `Policy.sample` of the same place in the random
// numbers: see `automorph.policies` (`Uniform`, `Mixture`, `Chain`).
#pragma once
#include <cmath>

#include "random.hpp"

namespace {

struct Sequence {
  int16_t op[LONGEST_PLAN];
  float magnitude[LONGEST_PLAN];
  uint8_t fire[LONGEST_PLAN];
};

// The random numbers of one example in one stage.
class Place {
 public:
  Place(const Example &example, int32_t stage)
      : index_(uint32_t(example.index)),
        epoch_(example.epoch),
        copy_(example.copy | uint32_t(stage) << 24) {}

  Words block(const uint32_t *key, uint32_t number) const {
    return philox({{index_, epoch_, number, copy_}}, key[0], key[1]);
  }
  // In [0, 1), a multiple of 2^-24.
  float unit(const uint32_t *key, int draw) const {
    return float(block(key, uint32_t(draw) / 4).v[draw % 4] >> 8) * 0x1p-24f;
  }

 private:
  uint32_t index_, epoch_, copy_;
};

// Operations drawn uniformly: the name with the largest word, ties to the first.
inline void draw_race(const Plan &plan, const Stage &stage, const Place &place, int at,
                      Sequence &drawn) {
  for (int first = 0; first < stage.length; first += 4) {
    Words best = place.block(stage.names, uint32_t(first) / 4);
    int16_t winner[4] = {};
    for (int32_t name = 1; name < stage.count; ++name) {
      const Words bid = place.block(stage.names + 2 * name, uint32_t(first) / 4);
      for (int k = 0; k < 4; ++k)
        if (bid.v[k] > best.v[k]) {
          best.v[k] = bid.v[k];
          winner[k] = int16_t(name);
        }
    }
    for (int k = 0; k < 4 && first + k < stage.length; ++k)
      drawn.op[at + first + k] = int16_t(winner[k] + stage.offset);
  }
  for (int k = 0; k < stage.length; ++k) {
    float magnitude = stage.low;
    if (stage.span > 0.0f) {
      float u = place.unit(plan.policy, k);
      if (stage.levels)
        u = std::floor(u * float(stage.levels)) /
            float(stage.levels > 2 ? stage.levels - 1 : 1);
      magnitude = stage.low + stage.span * u;
    }
    drawn.magnitude[at + k] = magnitude;
    drawn.fire[at + k] = stage.sure || place.unit(plan.coins, k) < stage.fires;
  }
}

// One of the sub-policies.
inline void draw_mixture(const Plan &plan, const Stage &stage, const Place &place, int at,
                         Sequence &drawn) {
  int64_t chosen = 0;
  if (stage.count > 1) {
    const float u = place.unit(plan.policy, 0);
    if (stage.edges) {  // the first edge beyond u
      while (chosen < stage.count - 1 && stage.edges[chosen] <= double(u)) ++chosen;
    } else {
      chosen = int64_t(u * float(stage.count));
    }
  }
  for (int k = 0; k < stage.length; ++k) {
    const int64_t from = chosen * stage.length + k;
    const int16_t op = stage.op[from];
    drawn.op[at + k] = op < 0 ? op : int16_t(op + stage.offset);
    drawn.magnitude[at + k] = stage.magnitude[from];
    drawn.fire[at + k] = place.unit(plan.coins, k) < stage.probability[from];
  }
}

inline void draw(const Plan &plan, const Example &example, Sequence &drawn) {
  int at = 0;
  for (int32_t number = 0; number < plan.stage_count; ++number) {
    const Stage &stage = plan.stages[number];
    const Place place(example, stage.number);
    if (stage.names)
      draw_race(plan, stage, place, at, drawn);
    else
      draw_mixture(plan, stage, place, at, drawn);
    at += stage.length;
  }
}

}  // namespace
