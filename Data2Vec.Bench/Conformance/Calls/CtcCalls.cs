using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Connectionist temporal classification: time first in PyTorch, samples first in the engine.</summary>
internal static class CtcCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls) =>
        calls["ctc_loss"] = c => Loss(c, c.Maybe("input") ?? c["log_probs"]);

    /// <summary>The project's cases give logits.</summary>
    public static Tensor[] OfLogits(OpCall c) => Loss(c, LogSoftmax(c["logits"]));

    private static Tensor[] Loss(OpCall c, Tensor x)
    {
        var (inputs, lengths) = (Host(c, "input_lengths"), Host(c, "target_lengths"));
        var padded = Array.ConvertAll(OpCall.Host(c["targets"]), v => (int)v);
        var width = c["targets"].Shape.Rank == 2 ? c["targets"].Shape[1] : 0;
        var targets = new int[lengths.Length][];
        for (int b = 0, start = 0; b < targets.Length; start += width == 0 ? lengths[b] : width, b++)
        {
            if (width > 0 && lengths[b] > width)
                throw new SignatureException("every target is an array, whose length nothing else states");
            targets[b] = padded[start..(start + lengths[b])];
        }
        var samplesFirst = x.Shape.Rank == 3 ? Permute(x, 1, 0, 2) : Reshape(x, new Shape(1).Append(x.Shape.ToArray()));
        var reduction = LossCalls.ReductionOf(c);
        var loss = CtcLoss(
            samplesFirst, inputs, targets, c.Integer("blank", 0), c.Flag("zero_infinity"), reduction);
        return [x.Shape.Rank == 3 || loss.Shape.Rank == 0 ? loss : Reshape(loss, new Shape())];
    }

    private static int[] Host(OpCall c, string name) => c.Maybe(name) is { } tensor
        ? Array.ConvertAll(OpCall.Host(tensor), v => (int)v)
        : c.Integers(name)!;
}
