using Data2Vec.Engine;

namespace Data2Vec.Models;

/// <summary>What a forward pass through an encoder gives.</summary>
/// <param name="Last">[B, T, D]: what heads read.</param>
/// <param name="Hidden">Encoder input and the output of every layer, when asked for.</param>
/// <param name="Taps">Feed-forward output of every layer before scale, dropout and residual, when asked for.</param>
/// <param name="Branches">What the feed-forward block of every layer adds to the residual, when asked for.</param>
public sealed record EncoderOutput(
    Tensor Last, IReadOnlyList<Tensor> Hidden, IReadOnlyList<Tensor> Taps, IReadOnlyList<Tensor> Branches);

/// <summary>How one forward pass is done.</summary>
/// <param name="Step">Key of the dropout bits; null = evaluation, nothing is dropped.</param>
/// <param name="Collect">Keep hidden states and taps of every layer.</param>
/// <param name="Recompute">Save only each layer's input for backward.</param>
/// <param name="Probabilities">Receives the attention probabilities of each layer, one [B, H, T, T] tensor a layer.</param>
/// <param name="KeepPaths">
/// Explicit draws of stochastic depth instead of random ones: the kept samples (bool [B]) of a layer's attention block
/// (0) or feed-forward block (1); null = all.
/// </param>
public readonly record struct ForwardMode(
    StepState? Step = null, bool Collect = false, bool Recompute = false, Tensor[]? Probabilities = null,
    Func<int, int, Tensor?>? KeepPaths = null);
