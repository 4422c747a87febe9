using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>A case ready to be run again and again in float32: operands on the device, the same memory every time.</summary>
internal sealed class CaseRun : IDisposable
{
    private readonly OpCase opCase;
    private readonly Device device;
    private readonly Scope scope;
    private readonly Tensor[] tensors;
    private readonly Operands operands;
    private readonly Tensor? seed;
    private readonly RawCall? raw;

    public CaseRun(OpCase opCase, Device device)
    {
        this.opCase = opCase;
        this.device = device;
        var values = opCase.Draw();
        scope = device.Scope();
        tensors = [.. opCase.Inputs.Select((input, i) => CaseSession.Upload(device, input, DType.Float32, values[i]))];
        operands = new Operands(device, DType.Float32, tensors, values);
        Watched = new Tensor[tensors.Length];
        Recorded = new Operands(device, DType.Float32, Watched, values);
        if (opCase.RunRaw is not null)
        {
            raw = opCase.RunRaw(operands);
            Bytes = raw.Bytes;
            return;
        }
        using var first = device.Scope();
        var y = opCase.Run!(operands);
        Bytes = opCase.Bytes ?? opCase.Inputs.Sum(i => i.Shape.Count * (i.Type ?? DType.Float32).Size()) + y.Count * y.DType.Size();
        if (!opCase.IsDifferentiable) return;
        seed = first.Keep(Tensor.FromDoubles(
            device, Array.ConvertAll(opCase.DrawSeed(y.Shape), v => (double)v), y.Shape, y.DType));
        BackwardBytes = Bytes + y.Count * y.DType.Size()
            + opCase.Inputs.Where(i => i.IsDifferentiable).Sum(i => i.Shape.Count * DType.Float32.Size());
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

    public void Dispose()
    {
        operands.Dispose();
        Recorded.Dispose();
        scope.Dispose();
        device.Backend.Synchronize();
    }
}
