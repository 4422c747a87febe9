using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Cases;

/// <summary>The operands of a case on a device, inside a scope; disposing gives everything back.</summary>
internal sealed class CaseSession : IDisposable
{
    private readonly OpCase opCase;
    private readonly float[][] values;
    private readonly Scope scope;
    private readonly Tensor[] tensors;

    public CaseSession(OpCase opCase, Device device, DType type, float[][] values)
    {
        this.opCase = opCase;
        this.values = values;
        Device = device;
        Type = type;
        scope = device.Scope();
        tensors = [.. opCase.Inputs.Select((input, i) => Upload(device, input, type, values[i]))];
        Operands = new Operands(device, type, tensors, values);
    }

    public Device Device { get; }

    public DType Type { get; }

    public Operands Operands { get; }

    /// <summary>Forward only: the way of inference, where nothing is saved.</summary>
    public IReadOnlyList<Output> Forward(Func<Operands, Tensor>? run = null)
    {
        if (opCase.RunRaw is not null)
        {
            var call = opCase.RunRaw(Operands);
            call.Launch();
            return call.Read();
        }
        return [Read("y", (run ?? opCase.Run!)(Operands))];
    }

    /// <summary>Forward and the gradient by every operand that has one.</summary>
    public IReadOnlyList<Output> ForwardAndBackward(Func<Operands, Tensor> run)
    {
        using var tape = new Tape(Device);
        var watched = tensors.Select((t, i) => opCase.Inputs[i].IsDifferentiable ? tape.Watch(t) : t).ToArray();
        using var operands = new Operands(Device, Type, watched, values);
        var y = run(operands);
        var outputs = new List<Output> { Read("y", y) };
        var seed = Tensor.FromDoubles(
            Device, Array.ConvertAll(opCase.DrawSeed(y.Shape), v => (double)v), y.Shape, y.DType);
        tape.Backward(y, seed);
        for (var i = 0; i < watched.Length; i++)
        {
            if (!opCase.Inputs[i].IsDifferentiable) continue;
            var name = "d" + opCase.Inputs[i].Name;
            var gradient = tape.Gradient(watched[i])
                ?? throw new InvalidOperationException($"{opCase.Id}: no gradient reached {opCase.Inputs[i].Name}.");
            outputs.Add(Read(name, gradient));
        }
        return outputs;
    }

    public void Dispose()
    {
        Operands.Dispose();
        scope.Dispose();
        Device.Backend.Synchronize();
    }

    /// <summary>The numbers of an operand as a tensor of the current scope.</summary>
    public static Tensor Upload(Device device, Input input, DType type, float[] values) => (input.Type ?? type) switch
    {
        DType.Int32 => Tensor.From<int>(device, Array.ConvertAll(values, v => (int)v), input.Shape),
        DType.Int64 => Tensor.From<long>(device, Array.ConvertAll(values, v => (long)v), input.Shape),
        DType.Bool => Tensor.From<bool>(device, Array.ConvertAll(values, v => v != 0), input.Shape),
        var t => Tensor.FromDoubles(device, Array.ConvertAll(values, v => (double)v), input.Shape, t),
    };

    private static Output Read(string name, Tensor t) => new(name, t.Shape, t.DType, t.ToDoubles());
}
