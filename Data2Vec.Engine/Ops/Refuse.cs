using System.Runtime.CompilerServices;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>Operand checks of the operations: each refusal is one sentence with operation, operands and shapes.</summary>
internal static class Refuse
{
    public static void Unless(bool condition, string sentence)
    {
        if (!condition) throw new ArgumentException(sentence);
    }

    /// <summary>As above; the sentence is put together only when it is needed.</summary>
    public static void Unless(
        bool condition, [InterpolatedStringHandlerArgument(nameof(condition))] ref RefusalText sentence)
    {
        if (!condition) throw new ArgumentException(sentence.ToString());
    }

    public static void OtherDevices(string op, Tensor first, params ReadOnlySpan<Tensor?> others)
    {
        foreach (var other in others)
        {
            if (other is not null && other.Device != first.Device)
                throw new ArgumentException($"{op}: operands must be on one device; got {first.Device} and {other.Device}.");
        }
    }

    public static void OtherTypes(string op, Tensor first, params ReadOnlySpan<Tensor?> others)
    {
        foreach (var other in others)
        {
            if (other is not null && other.DType != first.DType)
                throw new ArgumentException($"{op}: operands must have one type; got {first} and {other}.");
        }
    }

    /// <summary>Operands that are no floating-point numbers, and those of a type that the device only stores.</summary>
    public static void NotFloat(string op, Tensor x)
    {
        Unless(x.DType.IsFloat(), $"{op}: the operand must be a floating-point tensor; got {x}.");
        if (!x.Device.Backend.Computes(x.DType))
        {
            throw new NotSupportedException(
                $"{op}: {x.Device} does not compute in {x.DType.Name()}; cast {x} to {x.Device.DefaultFloat.Name()}.");
        }
    }

    /// <summary>An operand that takes part but has no derivative: asking for one is an error, never a silent zero.</summary>
    public static void Tracked(string op, string name, Tensor? x) => Unless(x?.Node is null,
        $"{op}: there is no derivative by the {name}; give {x}.Detach() if none is wanted.");

    /// <summary>Turns a dimension that may count from the end into one that counts from the start.</summary>
    public static int Dimension(string op, Tensor x, int dimension)
    {
        var rank = Math.Max(1, x.Shape.Rank);
        Unless(dimension >= -rank && dimension < rank, $"{op}: {x} has no dimension {dimension}.");
        return dimension < 0 ? dimension + rank : dimension;
    }
}
