using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>A case ready to be run again and again: operands on the device, the same memory every time.</summary>
internal sealed class CaseRun : IDisposable
{
    private readonly OpCase opCase;
    private readonly Device device;
    private readonly DType type;
    private readonly Scope scope;
    private readonly Tensor[] tensors;
    private readonly Operands operands;
    private readonly Tensor? seed;
    private readonly RawCall? raw;

    /// <param name="opCase">The case.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="type">Type of the operands.</param>
    /// <param name="numbers">The operands' numbers, when they are drawn already.</param>
    /// <exception cref="NotSupportedException">The case has no operands of this type.</exception>
    public CaseRun(OpCase opCase, Device device, DType type = DType.Float32, float[][]? numbers = null)
    {
        if (type == DType.BFloat16 && opCase.RunRaw is not null)
            throw new NotSupportedException("the state of an optimiser is float32");
        this.opCase = opCase;
        this.device = device;
        this.type = type;
        var values = numbers ?? opCase.Draw();
        scope = device.Scope();
        tensors = [.. opCase.Inputs.Select((input, i) => CaseSession.Upload(device, input, type, values[i]))];
        operands = new Operands(device, type, tensors, values);
        Watched = new Tensor[tensors.Length];
        Recorded = new Operands(device, type, Watched, values);
        try
        {
            raw = opCase.RunRaw?.Invoke(operands);
            (Bytes, BackwardBytes, seed) = raw is null ? FirstRun() : (raw.Bytes, 0, null);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes that the forward call must move at least.</summary>
    public long Bytes { get; }

    /// <summary>The same for backward: operands and gradient in, gradients out.</summary>
    public long BackwardBytes { get; }

    public bool HasBackward => seed is not null;

    private Tensor[] Watched { get; }

    private Operands Recorded { get; }

    /// <summary>One forward call, waited for.</summary>
    public void Forward()
    {
        LaunchForward();
        device.Backend.Synchronize();
    }

    /// <summary>One recorded forward call and its gradients, waited for.</summary>
    public void ForwardAndBackward()
    {
        LaunchForwardAndBackward();
        device.Backend.Synchronize();
    }

    /// <summary>One forward call.</summary>
    public void LaunchForward()
    {
        if (raw is not null)
        {
            raw.Launch();
        }
        else
        {
            using var inner = device.Scope();
            opCase.Run!(operands);
        }
    }

    /// <summary>One recorded forward call and its gradients.</summary>
    public void LaunchForwardAndBackward()
    {
        using var outer = device.Scope();
        using var tape = new Tape(device);
        for (var i = 0; i < tensors.Length; i++)
            Watched[i] = opCase.Inputs[i].IsDifferentiable ? tape.Watch(tensors[i]) : tensors[i];
        tape.Backward(opCase.Run!(Recorded), seed!);
    }

    /// <summary>The result of a first run says how many bytes move, and what gradient backward starts from.</summary>
    private (long Bytes, long BackwardBytes, Tensor? Seed) FirstRun()
    {
        using var first = device.Scope();
        var y = opCase.Run!(operands);
        var results = y.Count * y.DType.Size();
        var bytes = opCase.Bytes ?? opCase.Inputs.Sum(i => i.Shape.Count * (i.Type ?? type).Size()) + results;
        if (!opCase.IsDifferentiable) return (bytes, 0, null);
        var gradients = opCase.Inputs.Where(i => i.IsDifferentiable).Sum(i => i.Shape.Count * type.Size());
        return (bytes, bytes + results + gradients, first.Keep(Tensor.FromDoubles(
            device, Array.ConvertAll(opCase.DrawSeed(y.Shape), v => (double)v), y.Shape, y.DType)));
    }

    public void Dispose()
    {
        operands.Dispose();
        Recorded.Dispose();
        scope.Dispose();
        device.Backend.Synchronize();
    }
}
