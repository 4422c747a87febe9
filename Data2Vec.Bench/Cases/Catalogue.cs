using Data2Vec.Kernels;

namespace Data2Vec.Bench.Cases;

/// <summary>
/// The only list of operation cases: proofs, parity, timing, the tests and the tables come from it. A test demands that
/// every operation of <see cref="IBackend"/> is in it, with a refusal and a proof of its derivative; and so is what
/// the engine composes of them, under the name of its method.
/// </summary>
internal static class Catalogue
{
    public static IReadOnlyList<OpCase> Cases { get; } =
    [
        .. UnaryCases.Cases, .. BinaryCases.Cases, .. WhereCases.Cases, .. StridedCopyCases.Cases, .. FillCases.Cases, .. CastCases.Cases,
        .. ReduceCases.Cases, .. SoftmaxCases.Cases, .. MatMulCases.Cases, .. LinearCases.Cases, .. FeedForwardCases.Cases,
        .. PatchEmbeddingCases.Cases, .. Conv1dCases.Cases, .. Conv1dLayerNormCases.Cases, .. AttentionCases.Cases,
        .. LayerNormCases.Cases, .. GroupNormCases.Cases, .. InstanceNormCases.Cases, .. RowsCases.Cases, .. GatherCases.Cases, .. DropoutCases.Cases, .. SmoothL1Cases.Cases,
        .. CrossEntropyCases.Cases, .. CtcLossCases.Cases, .. TargetsCases.Cases, .. OptimizerCases.Cases,
        .. LossCompositeCases.Cases, .. ResizeCases.Cases, .. IndexingCases.Cases, .. WindowCases.Cases,
        .. NormCompositeCases.Cases,
    ];

    public static IReadOnlyList<OpError> Errors { get; } =
    [
        .. UnaryCases.Errors, .. BinaryCases.Errors, .. WhereCases.Errors, .. StridedCopyCases.Errors, .. FillCases.Errors, .. CastCases.Errors,
        .. ReduceCases.Errors, .. SoftmaxCases.Errors, .. MatMulCases.Errors, .. LinearCases.Errors, .. FeedForwardCases.Errors,
        .. PatchEmbeddingCases.Errors, .. Conv1dCases.Errors, .. Conv1dLayerNormCases.Errors, .. AttentionCases.Errors,
        .. LayerNormCases.Errors, .. GroupNormCases.Errors, .. InstanceNormCases.Errors, .. RowsCases.Errors, .. GatherCases.Errors, .. DropoutCases.Errors, .. SmoothL1Cases.Errors,
        .. CrossEntropyCases.Errors, .. CtcLossCases.Errors, .. TargetsCases.Errors, .. OptimizerCases.Errors,
        .. LossCompositeCases.Errors, .. ResizeCases.Errors, .. IndexingCases.Errors, .. WindowCases.Errors,
        .. NormCompositeCases.Errors,
    ];

    /// <summary>Methods of <see cref="Engine.Ops"/> that have no kernel of their own, but cases.</summary>
    public static IReadOnlyList<string> Composites { get; } = [.. Cases.Select(c => c.Op).Distinct().Where(
        op => typeof(IBackend).GetMethod(op) is null)];

    /// <summary>Operations whose derivative finite differences cannot prove, and why.</summary>
    public static IReadOnlyDictionary<string, string> NoDerivativeProof { get; } = new Dictionary<string, string>
    {
        [nameof(IBackend.Cast)] = "rounding makes steps; its gradient is the cast back by decision, which verify compares",
        [nameof(IBackend.Fill)] = "its output depends on no tensor",
        [nameof(IBackend.Targets)] = "the teacher takes part in no gradient: tracked layers are refused",
        [nameof(IBackend.GradientNorm)] = "it runs after backward, on gradients",
        [nameof(IBackend.Adam)] = "it changes parameters in place, after backward",
        [nameof(IBackend.Ema)] = "it changes the teacher in place, after backward",
        [nameof(IBackend.AdamWithEma)] = "it changes parameters and teacher in place, after backward",
    };

    /// <summary>The cases whose name contains the filter, of the sizes asked for.</summary>
    public static IReadOnlyList<OpCase> Select(string? filter, bool tinyOnly) =>
        [.. Cases.Where(c => (!tinyOnly || c.Size == CaseSize.Tiny) && Matches(c.Id, filter))];

    /// <summary>The cases that a CUDA device is compared on besides.</summary>
    public static IReadOnlyList<OpCase> SelectWholeWarps(string? filter, DType type) =>
        [.. WholeWarpCases.Of(type).Where(c => Matches(c.Id, filter))];

    /// <summary>The refusals whose name contains the filter.</summary>
    public static IReadOnlyList<OpError> SelectErrors(string? filter) => [.. Errors.Where(e => Matches(e.Id, filter))];

    /// <summary>Whether the name of a case contains the filter; none is contained in all.</summary>
    public static bool Matches(string id, string? filter) =>
        string.IsNullOrEmpty(filter) || id.Contains(filter, StringComparison.OrdinalIgnoreCase);
}
