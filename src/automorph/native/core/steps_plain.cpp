// Single operations for any processor.
#include "processor.hpp"
#include "steps.hpp"

Status plain_steps(const Step &step, int64_t first, int64_t last) {
  return run_step<PlainSteps>(step, first, last);
}
