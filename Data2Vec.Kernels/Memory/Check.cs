using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels;

/// <summary>What argument structs are checked with: a refusal is one sentence naming operation and operand.</summary>
internal static class Check
{
    /// <summary>The operand exists, is of the expected type and holds at least this many elements.</summary>
    public static void Holds(
        string op, BufferView view, long count, DType type, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (view.IsNone) throw new ArgumentException($"{op}: {name} was not given.");
        if (view.DType != type)
            throw new ArgumentException($"{op}: {name} must be {type.Name()}; got {view.DType.Name()}.");
        if (view.Offset < 0 || view.Available < count)
        {
            throw new ArgumentException(
                $"{op}: {name} must hold {count} elements from {view.Offset}; its buffer has {view.Available}.");
        }
    }

    /// <summary>As <see cref="Holds"/>, for an operand that may be absent.</summary>
    public static void HoldsIfGiven(
        string op, BufferView view, long count, DType type, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (!view.IsNone) Holds(op, view, count, type, name);
    }

    /// <summary>The operand is of a floating-point type.</summary>
    public static DType Float(string op, BufferView view, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (!view.DType.IsFloat())
            throw new ArgumentException($"{op}: {name} must be a floating-point tensor; got {view.DType.Name()}.");
        return view.DType;
    }

    /// <summary>The operand holds every element that a strided layout reaches.</summary>
    public static void Reaches(
        string op, BufferView view, Shape shape, in Strides strides,
        [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (shape.Count == 0) return;
        if (view.IsNone) throw new ArgumentException($"{op}: {name} was not given.");
        long low = 0, high = 0;
        for (var i = 0; i < shape.Rank; i++)
        {
            var reach = (shape[i] - 1) * strides[i];
            if (reach > 0) high += reach; else low += reach;
        }
        if (view.Offset + low < 0 || high >= view.Available)
        {
            throw new ArgumentException($"{op}: {name} is read from {low} to {high} around element {view.Offset}; "
                + $"its buffer has {view.Available} elements from there.");
        }
    }

    public static void That(string op, [DoesNotReturnIf(false)] bool condition, string sentence)
    {
        if (!condition) throw new ArgumentException($"{op}: {sentence}");
    }

    /// <summary>As above; the sentence is put together only when it is needed.</summary>
    public static void That(
        string op, [DoesNotReturnIf(false)] bool condition,
        [InterpolatedStringHandlerArgument(nameof(condition))] ref RefusalText sentence)
    {
        if (!condition) throw new ArgumentException($"{op}: {sentence.ToString()}");
    }

    /// <summary>Row lists and class indices are int32 or int64.</summary>
    public static void Indices(
        string op, BufferView view, long count, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        That(op, view.DType is DType.Int32 or DType.Int64,
            $"{name} must be int32 or int64; got {view.DType.Name()}.");
        Holds(op, view, count, view.DType, name);
    }
}
