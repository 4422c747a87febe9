using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// What a pre-training step is computed in; the whole policy is on this page. Float32: everything. Bfloat16, mixed:
/// <list type="table">
/// <item><term>bfloat16</term><description>
/// activations and their gradients; the copies of weights, biases and norms that a pass reads, rounded from float32 once
/// an update, by the kernel that moves them; inputs (pixels, waveforms).
/// </description></item>
/// <item><term>float32</term><description>
/// sums inside every operation (products, softmax, statistics of norms, log-sum-exp); parameters themselves, their gradients
/// once they reach the flat buffer, both moments, the teacher; rows of embedding and position tables when they are gathered,
/// and the gradients of those tables; predictions, targets from the teacher's layers on, norms and mean over layers, loss.
/// </description></item>
/// <item><term>float64</term><description>learning rates, decays and the norm of the gradient (scalars).</description></item>
/// </list>
/// There is no loss scale: bfloat16 has the exponents of float32. A device without bfloat16 arithmetic refuses; the cpu widens,
/// computes and rounds (<see cref="WideningBackend"/>), to the same policy.
/// </summary>
public enum Precision
{
    /// <summary>All in float32.</summary>
    Float32,

    /// <summary>Mixed, as above.</summary>
    Bfloat16,
}

/// <summary>Precisions as types.</summary>
public static class Precisions
{
    /// <summary>The type of activations; null = that of the parameters.</summary>
    public static DType? Type(this Precision precision) => precision == Precision.Bfloat16 ? DType.BFloat16 : null;
}
