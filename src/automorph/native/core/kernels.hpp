// The compiled kernels. Pointwise kernels are 256-entry tables computed with Pillow's arithmetic.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

// What an operation does to pixels. Each number is the `native` number of the operation's
// declaration in `automorph/operations`; numbers are never reused.
enum Kernel : int32_t {
  BLACK_BOX = -1,  // left to Python: the walk stops before it
  IDENTITY = 0,
  SHEAR_X,
  SHEAR_Y,
  TRANSLATE_X,
  TRANSLATE_Y,
  ROTATE,
  AUTO_CONTRAST,
  EQUALIZE,
  INVERT,
  SOLARIZE,
  SOLARIZE_ADD,
  POSTERIZE,
  CONTRAST,
  COLOR,
  BRIGHTNESS,
  SHARPNESS,
  CUTOUT,
  SAMPLE_PAIRING,
  HORIZONTAL_FLIP,
  VERTICAL_FLIP,
  PAD_CROP,
  GAMMA,
  KERNEL_COUNT,
};

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

// Thresholds are computed in single precision, so 102.00001 must count as 102.
inline double thousandths(double value) { return std::nearbyint(value * 1000.0) / 1000.0; }

// The same holds for integers: 6.9999999 counts as 7, but the largest float below 16 as 15, as in
// the reference path.
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

// Pillow's Image.blend for one value: single precision, clamped to [0, 255], truncated.
inline int blend_value(float from, float to, float share) {
  const float mixed = from + share * (to - from);
  return int(mixed < 0.0f ? 0.0f : mixed > 255.0f ? 255.0f : mixed);
}

// Blends a constant (black or the mean grey level) with the image.
inline Table blend_table(int from, double share) {
  return tabulate([=](int v) { return blend_value(float(from), float(v), float(share)); });
}

// torchvision's adjust_gamma on Pillow images, with the exponent as a power of two.
inline Table gamma_table(double octaves) {
  const double exponent = std::pow(2.0, octaves);
  return tabulate([=](int v) { return int(255.999 * std::pow(v / 255.0, exponent)); });
}

// ImageOps.autocontrast for a channel whose values lie in [low, high].
inline Table stretch_table(int low, int high) {
  if (high <= low) return identity_table();
  const double scale = 255.0 / (high - low), offset = -low * scale;
  return tabulate([=](int v) {
    const int stretched = int(v * scale + offset);
    return stretched < 0 ? 0 : stretched > 255 ? 255 : stretched;
  });
}

// ImageOps.equalize: the tables of K channels from their histograms and number of pixels.
template <int K>
inline void equalize_tables(const uint32_t (*counts)[256], int64_t pixels, Table *tables) {
  uint32_t step[K], sum[K];
  alignas(64) uint32_t before[K][256];
  for (int c = 0; c < K; ++c) {
    int last = 255;
    while (last > 0 && !counts[c][last]) --last;
    step[c] = uint32_t((pixels - counts[c][last]) / 255);
    sum[c] = step[c] / 2;
  }
  for (int v = 0; v < 256; ++v)  // interleave channels: each sum depends on the one before
    for (int c = 0; c < K; ++c) {
      before[c][v] = sum[c];
      sum[c] += counts[c][v];
    }
  const auto cut = [](uint32_t level) { return level > 255 ? 255 : level; };
  for (int c = 0; c < K; ++c) {
    const uint32_t *sums = before[c], width = step[c];
    if (width == 0) {
      tables[c] = identity_table();
    } else if (width > 1 && pixels < 1 << 19) {
      // Multiplying by the inverse divides exactly as long as sum * width < 2^32.
      const auto inverse = uint32_t((uint64_t(1) << 32) / width + 1);
      tables[c] = tabulate([&](int v) { return cut(uint32_t(uint64_t(sums[v]) * inverse >> 32)); });
    } else {
      tables[c] = tabulate([&](int v) { return cut(sums[v] / width); });
    }
  }
}

// Makes the table of a kernel that depends only on the value; returns false for other kernels.
inline bool point_table(int32_t kernel, double value, Table *table) {
  switch (kernel) {
    case INVERT: *table = invert_table(); return true;
    case SOLARIZE: *table = solarize_table(thousandths(value)); return true;
    case SOLARIZE_ADD: *table = solarize_add_table(truncated(value)); return true;
    case POSTERIZE: *table = posterize_table(truncated(value)); return true;
    case BRIGHTNESS: *table = blend_table(0, value); return true;
    case GAMMA: *table = gamma_table(value); return true;
    default: return false;
  }
}

}  // namespace
