// What changes at every training step: Data2Vec.Kernels/Memory/StepValues.cs, field by field. Kernels read it by
// pointer, so that recorded launches can be replayed for the next step.
#pragma once

struct StepValues
{
    unsigned long long seed;
    unsigned int step, micro_batch;
    double learning_rate, weight_decay_scale, ema_decay, gradient_divisor, max_gradient_norm;
    double gradient_norm, gradient_factor;
    int non_finite, reserved;
};

static_assert(sizeof(StepValues) == 80, "the struct of Data2Vec.Kernels/Memory/StepValues.cs");
