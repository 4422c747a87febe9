using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>
/// Connectionist temporal classification below a log-softmax, for which its gradient is made: lengths, repeats, empty
/// and impossible targets.
/// </summary>
internal static class CtcLossCases
{
    private const string Op = nameof(IBackend.CtcLoss);

    private static readonly int[][] Words = [[1, 2, 3], [4], [2, 2, 5, 2]];

    public static IEnumerable<OpCase> Cases =>
    [
        .. Enum.GetValues<Reduction>().Select(r => Of($"{r}", 9, 7, [9, 9, 9], Words, reduction: r)),
        Of("shorter inputs", 11, 7, [11, 4, 7], Words),
        Of("another blank", 9, 7, [9, 9, 8], Words, blank: 6),
        Of("repeats", 12, 5, [12, 9], [[1, 1, 1, 1], [2, 2, 3, 3]]),
        Of("one alignment", 5, 5, [5, 3], [[1, 1, 1], [1, 2, 3]]),
        Of("empty targets", 6, 5, [6, 4, 6], [[], [], [1]]),
        Of("nothing but empty targets", 6, 5, [6, 4], [[], []]),
        Of("one frame", 1, 3, [1, 1], [[2], []], reduction: Reduction.None),
        Of("no frames", 4, 3, [0, 4], [[], [1]], reduction: Reduction.None),
        Of("one class", 4, 1, [4], [[]]),
        Of("no samples", 4, 5, [], [], reduction: Reduction.Sum),
        Of("more states than a vector", 150, 31, [150, 131], [Text(61, 31), Text(37, 31)], reduction: Reduction.None),
        Of("targets as long as they may be", 90, 5, [90], [Text(60, 5)]),
        Of("logits of certain models", 60, 9, [60, 55], [Text(20, 9), Text(7, 9)], gain: 30),
        Of("impossible, zeroed", 5, 5, [5, 5, 2], [[1, 1, 1], [2, 2, 2, 2], [1, 2, 3]], zero: true),
        Of("impossible", 5, 5, [5, 5], [[2, 2, 2, 2], [1]], reduction: Reduction.None,
            noProof: "an infinite loss has no derivative: its gradient is NaN by decision"),
        new(Op, "not below a log-softmax")
        {
            Inputs = [Normal("x", 2, 9, 5)], ReductionLength = 9,
            Run = o => Ops.CtcLoss(o[0], [9, 7], [[1, 2], [3, 3]]),
            NoGradientProof = "the gradient holds for rows that come from log-softmax, PyTorch's rule",
        },
        Of("letters of base", 749, 32, [749, 700, 512, 749],
            [Text(210, 32), Text(180, 32), Text(64, 32), Text(199, 32)], size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        Refused("a label that is not there", "got 5", x => Ops.CtcLoss(x, [9], [[1, 5]])),
        Refused("a negative label", "got -1", x => Ops.CtcLoss(x, [9], [[-1]])),
        Refused("the blank as a label", "not be the blank 2", x => Ops.CtcLoss(x, [9], [[2]], blank: 2)),
        Refused("more frames than there are", "input length is 10", x => Ops.CtcLoss(x, [10], [[1]])),
        Refused("fewer frames than none", "input length is -1", x => Ops.CtcLoss(x, [-1], [[1]])),
        Refused("lengths of two samples", "1 samples need", x => Ops.CtcLoss(x, [9, 9], [[1]])),
        Refused("targets of two samples", "1 samples need", x => Ops.CtcLoss(x, [9], [[1], [2]])),
        Refused("a blank past the end", "blank must be one of the 5 classes", x => Ops.CtcLoss(x, [9], [[1]], 5)),
        Refused("no batch", "[batch, time, classes]", x => Ops.CtcLoss(x.Reshape(9, 5), [9], [[1]])),
        Refused("integers", "floating-point", x => Ops.CtcLoss(Ops.Cast(x, DType.Int32), [9], [[1]])),
        new(Op, "a label that only the kernel sees", "got 5", [Frames], o => Raw(o, frames: 9, label: 5)),
        new(Op, "a length that only it sees", "input length is 10", [Frames], o => Raw(o, frames: 10, label: 1)),
    ];

    private static Input Frames => Normal("x", 1, 9, 5);

    private static OpError Refused(string name, string fragment, Func<Tensor, Tensor> run) =>
        new(Op, name, fragment, [Frames], o => run(o[0]));

    /// <summary>The kernel itself, without the engine's checks.</summary>
    private static Tensor? Raw(Operands o, int frames, int label)
    {
        BufferView Integer(int value) => o.Upload(MemoryMarshal.AsBytes<int>([value]), DType.Int32);
        var args = new CtcLossArgs
        {
            X = o.Upload(o.Values(0)), Targets = Integer(label), InputLengths = Integer(frames),
            TargetLengths = Integer(1), Loss = o.Allocate(1, o.Type), SampleLoss = o.Allocate(1, o.Type),
            Alpha = o.Allocate(27, o.Type), Batch = 1, Time = 9, Classes = 5, MaxTarget = 1, Reduction = Reduction.Sum,
        };
        args.Check();
        o.Device.Backend.CtcLoss(args);
        return null;
    }

    private static OpCase Of(
        string name, int time, int classes, int[] frames, int[][] targets, int blank = 0, double gain = 1,
        Reduction reduction = Reduction.Mean, bool zero = false, string? noProof = null, CaseSize size = CaseSize.Tiny)
    {
        var hasComposite = frames.Length is > 0 and <= 3 && time <= 20 && !frames.Contains(0)
            && !zero && noProof is null;
        return new(Op, name)
        {
            Size = size,
            Inputs = [Normal("x", frames.Length, time, classes)],
            Run = o => Ops.CtcLoss(Ops.LogSoftmax(Ops.Affine(o[0], gain)), frames, targets, blank, zero, reduction),
            // The loss is a sum over frames, and so is every path to a gradient.
            ReductionLength = Math.Max(1, Math.Max(time, classes)),
            NoGradientProof = noProof,
            Composite = !hasComposite ? null
                : o => Composed(Ops.LogSoftmax(Ops.Affine(o[0], gain)), frames, targets, blank, reduction),
        };
    }

    /// <summary>Labels 1 ... classes - 1 with some repeats, the same on every run.</summary>
    private static int[] Text(int length, int classes) =>
        [.. Enumerable.Range(0, length).Select(i => 1 + (i * i / 3 + i / 7) % (classes - 1))];

    /// <summary>The forward recursion of every sample, written with the engine's sums of exponentials.</summary>
    private static Tensor Composed(Tensor x, int[] frames, int[][] targets, int blank, Reduction reduction)
    {
        var losses = new Tensor[frames.Length];
        for (var b = 0; b < losses.Length; b++)
        {
            int[] states = [blank, .. targets[b].SelectMany(label => new[] { label, blank })];
            var sample = Ops.Reshape(Ops.Slice(x, 0, b, b + 1), x.Shape.Slice(1, 2));
            var rows = Ops.Permute(sample, 1, 0);
            var index = Tensor.From<int>(x.Device, states, new Shape(states.Length));
            var emissions = Ops.Permute(Ops.GatherRows(rows, index), 1, 0);
            Tensor At(int t) => Ops.Reshape(Ops.Slice(emissions, 0, t, t + 1), new Shape(states.Length));
            // Far below any path, but finite: the sum of three impossible ways keeps a derivative.
            Tensor Never(Func<int, bool> where) => Tensor.FromDoubles(
                x.Device, [.. states.Select((_, s) => where(s) ? -1e6 : 0)], new Shape(states.Length), x.DType);
            var alpha = Ops.Add(At(0), Never(s => s > 1));
            Tensor Back(int by) => by >= states.Length ? Ops.Affine(alpha, 0, -1e6)
                : Ops.Pad(Ops.Slice(alpha, 0, 0, states.Length - by), [(by, 0)], -1e6);
            for (var t = 1; t < frames[b]; t++)
            {
                var skip = Never(s => s < 2 || states[s] == blank || states[s] == states[s - 2]);
                alpha = Ops.Add(At(t), Ops.LogSumExp(Ops.Stack([alpha, Back(1), Ops.Add(Back(2), skip)], 0), [0]));
            }
            losses[b] = Ops.Neg(Ops.LogSumExp(Ops.Slice(alpha, 0, Math.Max(0, states.Length - 2))));
            if (reduction == Reduction.Mean)
                losses[b] = Ops.Affine(losses[b], 1.0 / Math.Max(1, targets[b].Length) / losses.Length);
        }
        var all = Ops.Stack(losses, 0);
        return reduction is Reduction.None or Reduction.PerRow ? all : Ops.Sum(all);
    }
}
