using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Cases;

/// <summary>When a case is run.</summary>
internal enum CaseSize
{
    /// <summary>Always: the whole catalogue of these takes seconds.</summary>
    Tiny,
    /// <summary>With --size all: shapes of a real model.</summary>
    Real,
}

/// <summary>
/// One row of the catalogue: an operation, operands and options. Proofs of derivatives, parity of the backends, timing
/// and the tests all read this and nothing else.
/// </summary>
/// <param name="op">Name of the operation: of its line in <see cref="IBackend"/>, its folder and its case file.</param>
/// <param name="name">What is special about this case.</param>
internal sealed class OpCase(string op, string name)
{
    public string Op { get; } = op;

    public string Name { get; } = name;

    public CaseSize Size { get; init; }

    public required Input[] Inputs { get; init; }

    /// <summary>The operation over the public API of the engine. Null when <see cref="RunRaw"/> is given.</summary>
    public Func<Operands, Tensor>? Run { get; init; }

    /// <summary>A kernel that works on raw buffers and has no tensors.</summary>
    public Func<Operands, RawCall>? RunRaw { get; init; }

    /// <summary>The same function written with simpler operations; must agree, gradients included.</summary>
    public Func<Operands, Tensor>? Composite { get; init; }

    /// <summary>Terms of the longest sum in the operation or its gradients; scales the tolerance.</summary>
    public long ReductionLength { get; init; } = 1;

    /// <summary>Floating-point operations of the forward call; 0 = bound by memory.</summary>
    public double Flops { get; init; }

    /// <summary>Floating-point operations of backward, as a multiple of the forward call's.</summary>
    public double BackwardFlops { get; init; } = 2;

    /// <summary>Bytes that the forward call must move; null = every operand and the result once.</summary>
    public long? Bytes { get; init; }

    /// <summary>
    /// Why central differences cannot prove this case (values on kinks, steps, an output that is not a number); null for
    /// all others. Parity is checked all the same.
    /// </summary>
    public string? NoGradientProof { get; init; }

    /// <summary>Gradients exist: some operand asks for one, and the output is a tensor of the engine.</summary>
    public bool IsDifferentiable => Run is not null && Inputs.Any(i => i.IsDifferentiable);

    /// <summary>"LayerNorm/odd width".</summary>
    public string Id => $"{Op}/{Name}";

    public override string ToString() => Id;

    /// <summary>The numbers of every operand.</summary>
    public float[][] Draw(ulong seed = 0) => [.. Inputs.Select((input, i) => input.Draw(Key(seed, (uint)i)))];

    /// <summary>The gradient that backward starts from.</summary>
    public float[] DrawSeed(Shape shape, ulong seed = 0)
    {
        var values = new float[shape.Count];
        if (values.Length > 0) Philox.FillNormal(Key(seed, 1000), values);
        return values;
    }

    /// <summary>An independent sequence of random numbers for one purpose within the case.</summary>
    public RandomKey Key(ulong seed, uint site)
    {
        // FNV-1a: string.GetHashCode differs from process to process.
        var hash = 14695981039346656037UL;
        foreach (var c in Id) hash = (hash ^ c) * 1099511628211UL;
        return new RandomKey(hash ^ seed, 0, 0, site);
    }
}

/// <summary>What a run of a case gave: the result, or the gradient by one operand.</summary>
internal sealed record Output(string Name, Shape Shape, DType Type, double[] Values);

/// <summary>A kernel call on raw buffers that are ready: may be launched often; its outputs are read afterwards.</summary>
internal sealed record RawCall(Action Launch, Func<IReadOnlyList<Output>> Read, long Bytes);

/// <summary>A call that must be refused with a sentence that contains a fragment.</summary>
internal sealed class OpError(string op, string name, string fragment, Input[] inputs, Func<Operands, Tensor?> run)
{
    public string Op { get; } = op;

    public string Name { get; } = name;

    public string Fragment { get; } = fragment;

    public string Id => $"{Op}/refused: {Name}";

    public Input[] Inputs { get; } = inputs;

    public override string ToString() => Id;

    /// <summary>Runs it; null when the refusal is right, else what is wrong with it.</summary>
    public string? Check(Device device)
    {
        var host = new OpCase(Op, Name) { Inputs = Inputs, Run = o => run(o)! };
        try
        {
            using var session = new CaseSession(host, device, DType.Float32, host.Draw());
            run(session.Operands)?.ToDoubles();
            device.Backend.Synchronize();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            return e.Message.Contains(Fragment, StringComparison.Ordinal)
                ? null
                : $"the sentence should contain \"{Fragment}\"; it is: {e.Message}";
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return $"that is no refusal: {e}";
        }
        return $"nothing was refused; expected a sentence that contains \"{Fragment}\"";
    }
}
