using Data2Vec.Engine;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// What computes a recorded function: PyTorch's by their names below torch.nn.functional or torch, and ours.
/// </summary>
internal static class OpTable
{
    private const string Functional = "nn.functional.";

    private static readonly Dictionary<string, Func<OpCall, Tensor[]>> Own = [];

    public static IReadOnlyDictionary<string, Func<OpCall, Tensor[]>> Torch { get; } = MakeTorch();

    /// <summary>The call for a function; null when the engine has none.</summary>
    /// <param name="op">Its recorded name.</param>
    /// <param name="own">True for the project's own meaning of a name that PyTorch has too.</param>
    public static Func<OpCall, Tensor[]>? Find(string op, bool own)
    {
        if (own && Own.TryGetValue(op, out var call)) return call;
        var bare = op.StartsWith(Functional, StringComparison.Ordinal) ? op[Functional.Length..] : op;
        return Torch.GetValueOrDefault(bare);
    }

    private static Dictionary<string, Func<OpCall, Tensor[]>> MakeTorch()
    {
        var calls = new Dictionary<string, Func<OpCall, Tensor[]>>(StringComparer.Ordinal);
        ElementwiseCalls.AddTo(calls);
        ReductionCalls.AddTo(calls);
        MovementCalls.AddTo(calls);
        LinearAlgebraCalls.AddTo(calls);
        NormCalls.AddTo(calls);
        ConvolutionCalls.AddTo(calls);
        RowCalls.AddTo(calls);
        LossCalls.AddTo(calls);
        CtcCalls.AddTo(calls);
        OwnCalls.AddTo(Own);
        ConvolutionCalls.AddOwnTo(Own);
        return calls;
    }
}
