using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Weights;

/// <summary>The parameters of a store under published names and in published order of elements.</summary>
public sealed class PublishedParameters
{
    private readonly Dictionary<string, PublishedTensor> tensors;

    /// <summary>A view of a store; names and shapes can be asked for before the store is built.</summary>
    public PublishedParameters(ParameterStore store, PublishedMap map)
    {
        Store = store;
        Map = map;
        tensors = map.Tensors.ToDictionary(map.StoredName, StringComparer.Ordinal);
    }

    /// <summary>The store.</summary>
    public ParameterStore Store { get; }

    /// <summary>The names.</summary>
    public PublishedMap Map { get; }

    /// <summary>Stored names, in the order of the map.</summary>
    public IEnumerable<string> Names => Map.Tensors.Select(Map.StoredName);

    /// <summary>True for the name of a tensor.</summary>
    public bool Contains(string name) => tensors.ContainsKey(name);

    /// <summary>The published shape of a tensor.</summary>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    public Shape ShapeOf(string name) => ShapeOf(Tensor(name));

    /// <summary>True when the teacher has its own values.</summary>
    public bool HasTeacherValue(string name) =>
        Tensor(name).Parameter is { } parameter && Store.HasTeacherValue(Store.NumberOf(parameter));

    /// <summary>True when a gradient reached the tensor's parameter.</summary>
    public bool HasGradient(string name) =>
        Tensor(name).Parameter is { } parameter && Store.HasGradient(Store.NumberOf(parameter));

    /// <summary>Values in published order; zeros for a gradient that never came.</summary>
    public double[] Read(ParameterPart part, string name)
    {
        var tensor = Tensor(name);
        if (tensor.Parameter is null) return new double[tensor.Zeros.Count];
        var (number, rows, start) = Place(tensor);
        if (part == ParameterPart.Gradient && !Store.HasGradient(number)) return new double[rows.Count];
        var own = Store.Read(part, number).AsSpan((int)start, (int)rows.Count).ToArray();
        return tensor.ToPublished(own, rows);
    }

    /// <summary>Overwrites values given in published order.</summary>
    /// <exception cref="InvalidDataException">Their number is not that of the tensor.</exception>
    public void Write(ParameterPart part, string name, double[] values)
    {
        var tensor = Tensor(name);
        if (values.Length != ShapeOf(tensor).Count)
            throw new InvalidDataException($"{name} has {ShapeOf(tensor).Count} numbers; got {values.Length}.");
        if (tensor.Parameter is null) return;
        var (number, rows, start) = Place(tensor);
        var own = tensor.FromPublished(values, rows);
        if (rows.Count < Store.Parameters[number].Shape.Count)
        {
            var all = Store.Read(part, number);
            own.CopyTo(all.AsSpan((int)start));
            own = all;
        }
        Store.Write(part, number, own);
    }

    /// <summary>The student's values as float32 in published order.</summary>
    internal float[] ReadSingles(PublishedTensor tensor)
    {
        if (tensor.Parameter is null) return new float[tensor.Zeros.Count];
        var (number, rows, start) = Place(tensor);
        var all = Store.DType == DType.Float32
            ? MemoryMarshal.Cast<byte, float>(Store.ReadBytes(ParameterPart.Student, number)).ToArray()
            : Array.ConvertAll(Store.Read(ParameterPart.Student, number), x => (float)x);
        var own = rows.Count == all.Length ? all : all.AsSpan((int)start, (int)rows.Count).ToArray();
        return tensor.ToPublished(own, rows);
    }

    /// <summary>The published shape of a tensor of the map.</summary>
    internal Shape ShapeOf(PublishedTensor tensor) => tensor.Parameter is null
        ? tensor.Zeros
        : tensor.ShapeFrom(Store.Parameters[Store.NumberOf(tensor.Parameter)].Shape);

    /// <summary>The parameter's number, our shape of the rows, and the element at which they start.</summary>
    internal (int Number, Shape Rows, long Start) Place(PublishedTensor tensor)
    {
        var number = Store.NumberOf(tensor.Parameter!);
        var shape = Store.Parameters[number].Shape;
        if (tensor.Rows == 0) return (number, shape, 0);
        return (number, shape.With(0, tensor.Rows), tensor.FirstRow * (shape.Count / shape[0]));
    }

    private PublishedTensor Tensor(string name) => tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"The model has no parameter {name}.");
}
