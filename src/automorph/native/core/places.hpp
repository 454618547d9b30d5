// Where the pixels of a warped image are read from, line by line.
//
// Each struct is one function of operations/warps.py or distortions.py, with the same operations in
// the same order. `values` are the numbers of one image; places have pixel centres at halves.
#pragma once
#include <cstdint>

#include "buffer.hpp"
#include "step.h"

namespace {

// The size and the middle of an image.
struct Frame {
  const int width, height;
  const double cx, cy;
  explicit Frame(const Step &step)
      : width(step.width), height(step.height), cx(step.width / 2.0), cy(step.height / 2.0) {}
  // Prepares for the image of a row of the step.
  void begin(const double *, int64_t) {}
};

// `values`: cosines and then sines of the angle at each radius. `shared`: the bytes of the number
// (int32) of each pixel's radius in the upper left quarter of the image; the others mirror it.
struct SwirlPlaces : Frame {
  explicit SwirlPlaces(const Step &step)
      : Frame(step),
        radii(step.count / 2),
        numbers(reinterpret_cast<const int32_t *>(step.shared)) {}
  explicit operator bool() const { return true; }
  void line(const double *values, int y, double *__restrict u, double *__restrict v) const {
    const int half = (width + 1) / 2, row = y < height - 1 - y ? y : height - 1 - y;
    const double *cosine = values, *sine = values + radii;
    const int32_t *number = numbers + int64_t(row) * half;
    const double mx = cx, my = cy, down = y + 0.5 - my;
    for (int x = 0, end = width; x < end; ++x) {
      const int32_t radius = number[x < half ? x : end - 1 - x];
      const double across = x + 0.5 - mx, c = cosine[radius], s = sine[radius];
      u[x] = c * across - s * down + mx;
      v[x] = s * across + c * down + my;
    }
  }

 private:
  const int64_t radii;
  const int32_t *numbers;
};

// `values`: the amplitudes along x and y in pixels, and 7 x 7 control points for x and for y;
// `shared`: the weights (height, 7) and then (width, 7) of the control points.
struct ElasticPlaces : Frame {
  static constexpr int POINTS = 7;

  explicit ElasticPlaces(const Step &step)
      : Frame(step), down(step.shared), across(int64_t(POINTS) * step.width) {
    if (!across) return;
    const double *from = step.shared + int64_t(POINTS) * height;
    for (int k = 0; k < POINTS; ++k)
      for (int x = 0; x < width; ++x) across[k * int64_t(width) + x] = from[x * POINTS + k];
  }
  explicit operator bool() const { return bool(across); }
  void line(const double *values, int y, double *__restrict u, double *__restrict v) const {
    bend(values + 2, values[0], y, u);
    bend(values + 2 + POINTS * POINTS, values[1], y, v);
    for (int x = 0; x < width; ++x) {
      u[x] = x + 0.5 - cx + cx + u[x];
      v[x] = y + 0.5 - cy + cy + v[x];
    }
  }

 private:
  void bend(const double *controls, double reach, int y, double *out) const {
    for (int x = 0; x < width; ++x) out[x] = 0.0;
    for (int k = 0; k < POINTS; ++k) {
      double line = 0.0;
      for (int j = 0; j < POINTS; ++j) line += down[y * POINTS + j] * controls[j * POINTS + k];
      const double *weight = across.at(k * int64_t(width));
      for (int x = 0; x < width; ++x) out[x] += weight[x] * line;
    }
    for (int x = 0; x < width; ++x) out[x] *= reach;
  }

  const double *down;
  const Buffer<double> across;
};

// `values`: the eight coefficients of a projective map.
struct PerspectivePlaces : Frame {
  using Frame::Frame;
  explicit operator bool() const { return true; }
  void line(const double *values, int y, double *__restrict u, double *__restrict v) const {
    const double a = values[0], b = values[1], c = values[2], d = values[3], e = values[4],
                 f = values[5], g = values[6], h = values[7], down = y + 0.5;
    const int count = width;
    for (int x = 0; x < count; ++x) {
      const double across = x + 0.5, below = g * across + h * down + 1.0;
      u[x] = (a * across + b * down + c) / below;
      v[x] = (d * across + e * down + f) / below;
    }
  }
};

// `values`: the strength, and 1 for the camera's model (0: the fisheye's).
struct OpticalPlaces : Frame {
  using Frame::Frame;
  explicit operator bool() const { return true; }
  void line(const double *values, int y, double *__restrict u, double *__restrict v) const {
    // Copies, since the compiler must assume that writing places changes the originals.
    const double k = values[0], mx = cx, my = cy, down = y + 0.5 - 0.5 - my;
    const int count = width;
    if (values[1] != 0.0) {
      const double b = down / (2.0 * my);
      for (int x = 0; x < count; ++x) {
        const double across = x + 0.5 - 0.5 - mx, a = across / (2.0 * mx), square = a * a + b * b;
        const double factor = 1.0 + k * square + k * square * square;
        u[x] = across * factor + mx + 0.5;
        v[x] = down * factor + my + 0.5;
      }
    } else {
      const double whole = mx * mx + my * my;
      for (int x = 0; x < count; ++x) {
        const double across = x + 0.5 - 0.5 - mx;
        const double factor = 1.0 + k * (across * across + down * down) / whole;
        u[x] = across * factor + mx + 0.5;
        v[x] = down * factor + my + 0.5;
      }
    }
  }
};

}  // namespace
