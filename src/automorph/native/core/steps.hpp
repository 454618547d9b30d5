// One operation on some images of a batch, in place.
#pragma once
#include <cstdint>
#include <cstring>

#include "averages.hpp"
#include "buffer.hpp"
#include "convolution.hpp"
#include "erasing.hpp"
#include "fields.hpp"
#include "hsv.hpp"
#include "hue.hpp"
#include "morphology.hpp"
#include "moves.hpp"
#include "noise.hpp"
#include "resizing.hpp"
#include "separable.hpp"
#include "step.h"
#include "tables.hpp"
#include "tiles.hpp"
#include "warp.hpp"

// The order is that of `KINDS` in automorph/native/step.py.
enum Kind : int32_t {
  HUE,
  DILATE,
  ERODE,
  CONVOLVE,
  ADD_NOISE,
  RESIZE,
  ZOOM,
  SWIRL,
  ELASTIC,
  PERSPECTIVE,
  GRID,
  OPTICAL,
  DOUBLE_FIELD,
  LOOK_UP,
  SHUFFLE,
  HSV,
  BOX,
  MOTION,
  MEDIAN,
  ERASE,
  ERASE_WITH_NOISE,
  MOVE,
  EQUALIZE_TILES,
  FIELD,
};

namespace {

// The plain functions; variants override those that are worth writing by hand.
struct PlainSteps : Plain, PlainSampling, PlainResizing {};

// Runs an operation on every image. Kernels that are `IN_PLACE` may read and write the same pixels;
// the others never do, and if one is to keep alpha, the image gets it back afterwards.
template <class K, class Kernel, bool KEEPS_ALPHA, int C>
Status each_image(const Step &step, int64_t first, int64_t last) {
  const int64_t pixels = int64_t(step.height) * step.width, size = pixels * C;
  const Buffer<uint8_t> copy(Kernel::IN_PLACE ? 0 : size);
  Kernel kernel(step);
  if (!copy || !kernel) return OUT_OF_MEMORY;
  for (int64_t row = first; row < last; ++row) {
    uint8_t *out = step.images + step.rows[row] * step.stride;
    View in = {step.source + step.rows[row] * step.source_stride, nullptr, step.height, step.width};
    if (Kernel::IN_PLACE && in.data != out) {
      std::memcpy(out, in.data, size_t(size));
      in.data = out;
    } else if (!Kernel::IN_PLACE && in.data == out) {
      std::memcpy(copy.at(), out, size_t(size));
      in.data = copy.at();
    }
    in.end = in.data == copy.at() ? in.data + size + PADDING : in.data + size;
    kernel.template run<K, C>(in, out, step.values + row * step.count, row);
    if (KEEPS_ALPHA && !Kernel::IN_PLACE && C == 4)
      for (int64_t p = 0; p < pixels; ++p) out[p * C + 3] = in.data[p * C + 3];
  }
  return DONE;
}

template <class K, class Kernel, bool KEEPS_ALPHA>
Status run(const Step &step, int64_t first, int64_t last) {
  switch (step.channels) {
    case 1: return each_image<K, Kernel, KEEPS_ALPHA, 1>(step, first, last);
    case 3: return each_image<K, Kernel, KEEPS_ALPHA, 3>(step, first, last);
    default: return each_image<K, Kernel, KEEPS_ALPHA, 4>(step, first, last);
  }
}

template <class K>
Status run_step(const Step &step, int64_t first, int64_t last) {
  switch (step.kind) {
    case HUE: return run<K, Hue, true>(step, first, last);
    case DILATE: return run<K, Diamond<Most>, true>(step, first, last);
    case ERODE: return run<K, Diamond<Least>, true>(step, first, last);
    case CONVOLVE: return run<K, Convolution, true>(step, first, last);
    case ADD_NOISE: return run<K, Noise, true>(step, first, last);
    case RESIZE: return run<K, Resize, false>(step, first, last);
    case ZOOM: return run<K, SeparableWarp<ZoomAxes>, false>(step, first, last);
    case SWIRL: return run<K, Warp<SwirlPlaces>, false>(step, first, last);
    case ELASTIC: return run<K, Warp<ElasticPlaces>, false>(step, first, last);
    case PERSPECTIVE: return run<K, Warp<PerspectivePlaces>, false>(step, first, last);
    case GRID: return run<K, SeparableWarp<GridAxes>, false>(step, first, last);
    case OPTICAL: return run<K, Warp<OpticalPlaces>, false>(step, first, last);
    case DOUBLE_FIELD: return run<K, Warp<FieldPlaces<double>>, false>(step, first, last);
    case LOOK_UP: return run<K, LookUp, true>(step, first, last);
    case SHUFFLE: return run<K, Shuffle, true>(step, first, last);
    case HSV: return run<K, Hsv, true>(step, first, last);
    case BOX: return run<K, Box, true>(step, first, last);
    case MOTION: return run<K, Motion, true>(step, first, last);
    case MEDIAN: return run<K, Median, true>(step, first, last);
    case ERASE: return run<K, Erase, true>(step, first, last);
    case ERASE_WITH_NOISE: return run<K, EraseWithNoise, true>(step, first, last);
    case MOVE: return run<K, Move, false>(step, first, last);
    case EQUALIZE_TILES: return run<K, EqualizeTiles, true>(step, first, last);
    case FIELD: return run<K, Warp<FieldPlaces<float>>, false>(step, first, last);
    default: return BAD_OPERATION;
  }
}

}  // namespace
