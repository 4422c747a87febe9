using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// The parameters of a store as tensors: the student's (recorded on a tape, or not) or the teacher's, in the type of the store
/// or rounded to bfloat16. Forward passes take one, so that the same modules serve all.
/// </summary>
public sealed class ParameterView : IDisposable
{
    private readonly Tensor?[] tensors, full;
    private readonly RoundedParameters? rounded;

    internal ParameterView(ParameterStore store, Tape? tape, bool teacher, DType type)
        : this(store, tape, teacher, type == store.DType ? null : new RoundedParameters(store, type))
    {
    }

    private ParameterView(ParameterStore store, Tape? tape, bool teacher, RoundedParameters? rounded)
    {
        Store = store;
        Tape = tape;
        IsTeacher = teacher;
        this.rounded = rounded;
        tensors = new Tensor?[store.Parameters.Count];
        full = rounded is null ? tensors : new Tensor?[store.Parameters.Count];
    }

    /// <summary>Where the values live.</summary>
    public ParameterStore Store { get; }

    /// <summary>The tape that records what is computed from these tensors; null for none.</summary>
    public Tape? Tape { get; }

    /// <summary>True for the teacher's values.</summary>
    public bool IsTeacher { get; }

    /// <summary>The type that passes over this view are computed in.</summary>
    public DType DType => rounded?.DType ?? Store.DType;

    /// <summary>A parameter by its number, in <see cref="DType"/>. The tensor belongs to the view.</summary>
    public Tensor this[int parameter] => tensors[parameter] ??= Make(parameter);

    /// <summary>A parameter in the type of the store, whatever the view is computed in.</summary>
    public Tensor Full(int parameter) => full[parameter] ??= MakeFull(parameter);

    /// <summary>The same values for another tape (or none): for recomputation.</summary>
    public ParameterView On(Tape? tape) => new(Store, tape, IsTeacher, rounded?.Shared());

    /// <summary>Lets go of the tensors; the values stay in the store.</summary>
    public void Dispose()
    {
        foreach (var tensor in tensors) tensor?.Dispose();
        Array.Clear(tensors);
        if (rounded is null) return;
        foreach (var tensor in full) tensor?.Dispose();
        Array.Clear(full);
        rounded.Dispose();
    }

    private ParameterPart Part => IsTeacher ? ParameterPart.Teacher : ParameterPart.Student;

    private Tensor Make(int parameter)
    {
        if (rounded is null) return MakeFull(parameter);
        var place = rounded.Of(Store.PlaceOf(Part, parameter)).Retain();
        var node = Tape is null ? null : Ops.CastGradient(Tape, new ParameterNode(Tape, Store, parameter), Store.DType);
        return new Tensor(place, Store.Parameters[parameter].Name, node, scoped: false);
    }

    private Tensor MakeFull(int parameter)
    {
        var place = Store.PlaceOf(Part, parameter).Retain();
        var node = Tape is null ? null : new ParameterNode(Tape, Store, parameter);
        return new Tensor(place, Store.Parameters[parameter].Name, node, scoped: false);
    }
}

/// <summary>The flat buffers of a store in a narrower type, each rounded in one pass when it is first read.</summary>
internal sealed class RoundedParameters(ParameterStore store, DType type) : IDisposable
{
    private readonly List<(Storage Full, TensorRef Rounded)> copies = [];
    private int holders = 1;

    public DType DType => type;

    /// <summary>The rounded parameter in the place of the one in the store's own type.</summary>
    public TensorRef Of(TensorRef place)
    {
        foreach (var (full, rounded) in copies)
            if (full == place.Storage) return rounded with { Offset = place.Offset, Shape = place.Shape };
        var count = place.Storage!.Count;
        var flat = store.Device.AllocateLasting(new Shape(checked((int)count)), type, "rounded parameters");
        var args = new CastArgs { X = place.View with { Offset = 0 }, Y = flat.View, Count = count };
        args.Check();
        store.Device.Backend.Cast(args);
        copies.Add((place.Storage, flat));
        return flat with { Offset = place.Offset, Shape = place.Shape };
    }

    /// <summary>The same copies for one more holder.</summary>
    public RoundedParameters Shared()
    {
        holders++;
        return this;
    }

    public void Dispose()
    {
        if (--holders > 0) return;
        foreach (var (_, flat) in copies) flat.Release();
        copies.Clear();
    }
}

/// <summary>A parameter on a tape: kernels write its gradient straight into the store's flat buffer.</summary>
internal sealed class ParameterNode(Tape tape, ParameterStore store, int parameter) : Node(tape, "Parameter")
{
    private TensorRef Slice => store.PlaceOf(ParameterPart.Gradient, parameter);

    public override void Pass(TensorRef part)
    {
        if (store.HasGradient(parameter))
        {
            Add(Slice, part, Slice);
            return;
        }
        var strides = new Shape(checked((int)part.Shape.Count));
        var args = new StridedCopyArgs
        {
            X = part.View, XStrides = strides.Strides, Y = Slice.View, YStrides = strides.Strides, Shape = strides,
        };
        args.Check();
        Backend.StridedCopy(args);
        store.MarkGradient(parameter);
    }

    public override GradientTarget Open(Shape shape, DType type, bool canAccumulate = false)
    {
        var present = store.HasGradient(parameter);
        return !present || canAccumulate
            ? new GradientTarget(this, Slice.Reshaped(shape), accumulate: present, inPlace: true)
            : base.Open(shape, type);
    }

    internal override void Committed(in GradientTarget target)
    {
        if (target.InPlace) store.MarkGradient(parameter);
        else base.Committed(target);
    }

    protected override void Backward(TensorRef dy)
    {
    }

    protected override void Release()
    {
    }
}
