// Point-wise operations as 256-entry tables, with the arithmetic of Pillow.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

struct Table {
  alignas(64) uint8_t at[256];
};

template <class F>
inline Table tabulate(F value_of) {
  Table table;
  for (int v = 0; v < 256; ++v) table.at[v] = uint8_t(value_of(v));
  return table;
}

inline bool is_identity(const Table &table) {
  int differs = 0;
  for (int v = 0; v < 256; ++v) differs |= table.at[v] ^ v;
  return differs == 0;
}

inline Table identity_table() {
  return tabulate([](int v) { return v; });
}

inline Table invert_table() {
  return tabulate([](int v) { return 255 - v; });
}

inline Table solarize_table(double threshold) {
  return tabulate([=](int v) { return v < threshold ? v : 255 - v; });
}

// Thresholds come from single precision: 102.00001 counts as 102.
inline double thousandths(double value) { return std::nearbyint(value * 1000.0) / 1000.0; }

// So do whole numbers: 6.9999999 counts as 7, but the float next below 16 as 15, as elsewhere.
inline int truncated(double value) { return int(std::trunc(float(value))); }

inline Table solarize_add_table(int add) {
  return tabulate([=](int v) {
    const int sum = v + add, low = sum < 0 ? 0 : sum;
    return v >= 128 ? v : low > 255 ? 255 : low;
  });
}

inline Table posterize_table(int bits) {
  const int cut = bits < 0 ? 8 : bits > 8 ? 0 : 8 - bits;
  return tabulate([=](int v) { return v >> cut << cut; });
}

// Pillow's Image.blend of one value: single precision, cut to [0, 255], towards zero.
inline int blend_value(float from, float to, float share) {
  const float mixed = from + share * (to - from);
  return int(mixed < 0.0f ? 0.0f : mixed > 255.0f ? 255.0f : mixed);
}

// Blends a constant (black, or the mean grey) with the image.
inline Table blend_table(int from, double share) {
  return tabulate([=](int v) { return blend_value(float(from), float(v), float(share)); });
}

// ImageOps.autocontrast of a channel whose values lie in [low, high].
inline Table stretch_table(int low, int high) {
  if (high <= low) return identity_table();
  const double scale = 255.0 / (high - low), offset = -low * scale;
  return tabulate([=](int v) {
    const int stretched = int(v * scale + offset);
    return stretched < 0 ? 0 : stretched > 255 ? 255 : stretched;
  });
}

// ImageOps.equalize of a channel with this histogram.
inline Table equalize_table(const uint32_t histogram[256]) {
  uint64_t total = 0, last = 0;
  for (int v = 0; v < 256; ++v) {
    total += histogram[v];
    if (histogram[v]) last = histogram[v];
  }
  const uint64_t step = (total - last) / 255;
  if (step == 0) return identity_table();
  // Quotients of whole numbers below 2^53 are exact in double precision once cut.
  alignas(64) double before[256];
  uint64_t sum = step / 2;
  for (int v = 0; v < 256; ++v) {
    before[v] = double(sum);
    sum += histogram[v];
  }
  return tabulate([&](int v) {
    const int level = int(before[v] / double(step));
    return level > 255 ? 255 : level;
  });
}

}  // namespace
