using Data2Vec.Kernels;

namespace Data2Vec.Models.Weights;

/// <summary>The part of a published model that a tensor belongs to; a part is stored whole or not at all.</summary>
public enum PublishedPart
{
    /// <summary>The encoder.</summary>
    Base,

    /// <summary>The pooler of a bare model, which some files have and some lack.</summary>
    Pooler,

    /// <summary>What a task adds.</summary>
    Head,
}

/// <summary>
/// One tensor of published files, and where its elements lie in our parameters: rows of one (queries, keys and values
/// are separate there and rows of one weight here), in another order of dimensions (channels last here), or nowhere.
/// </summary>
/// <param name="Name">Name in the files, without the prefix of the base model.</param>
/// <param name="Parameter">Our parameter; null = the model has none: zeros are written and zeros are expected.</param>
public sealed record PublishedTensor(string Name, string? Parameter)
{
    /// <summary>The part it belongs to.</summary>
    public PublishedPart Part { get; init; }

    /// <summary>First row of the parameter.</summary>
    public int FirstRow { get; init; }

    /// <summary>Number of rows; 0 = all.</summary>
    public int Rows { get; init; }

    /// <summary>Published dimension i is dimension Order[i] of the parameter; null = the same order.</summary>
    public int[]? Order { get; init; }

    /// <summary>Leading dimensions of 1 that the published shape has beside ours.</summary>
    public int Ones { get; init; }

    /// <summary>Shape of a tensor without a parameter.</summary>
    public Shape Zeros { get; init; }

    /// <summary>The published shape, given the parameter's.</summary>
    public Shape ShapeFrom(Shape parameter)
    {
        if (Parameter is null) return Zeros;
        var own = Rows > 0 ? parameter.With(0, Rows) : parameter;
        Span<int> extents = stackalloc int[Ones + own.Rank];
        extents[..Ones].Fill(1);
        for (var i = 0; i < own.Rank; i++) extents[Ones + i] = own[Order is null ? i : Order[i]];
        return new Shape(extents);
    }

    /// <summary>Elements in our order as published ones.</summary>
    /// <param name="own">Row-major over <paramref name="shape"/>.</param>
    /// <param name="shape">Our shape of the rows that the tensor covers.</param>
    internal T[] ToPublished<T>(T[] own, Shape shape) =>
        Order is null ? own : Reorder(own, shape, ShapeFrom(shape), toPublished: true);

    /// <summary>Published elements in our order.</summary>
    internal T[] FromPublished<T>(T[] published, Shape shape) =>
        Order is null ? published : Reorder(published, shape, ShapeFrom(shape), toPublished: false);

    private T[] Reorder<T>(T[] from, Shape own, Shape published, bool toPublished)
    {
        var strides = own.Strides;
        var to = new T[from.Length];
        Span<int> index = stackalloc int[Order!.Length];
        for (var p = 0; p < from.Length; p++)
        {
            long o = 0;
            for (var i = 0; i < index.Length; i++) o += index[i] * strides[Order[i]];
            if (toPublished) to[p] = from[o];
            else to[o] = from[p];
            for (var i = index.Length - 1; i >= 0 && ++index[i] == published[i]; i--) index[i] = 0;
        }
        return to;
    }
}
