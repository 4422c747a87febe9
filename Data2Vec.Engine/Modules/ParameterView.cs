using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// The parameters of a store as tensors: the student's (recorded on a tape, or not) or the teacher's, in the type of the store
/// or rounded to bfloat16. Forward passes take one, so that the same modules serve all.
/// </summary>
public sealed class ParameterView : IDisposable
{
    private readonly Tensor?[] full, rounded;

    internal ParameterView(ParameterStore store, Tape? tape, bool teacher, DType type)
    {
        Refuse.Unless(type == store.DType || type == DType.BFloat16,
            $"ParameterView: passes are in {store.DType.Name()}, as the store, or in bfloat16; got {type.Name()}.");
        Store = store;
        Tape = tape;
        IsTeacher = teacher;
        DType = type;
        full = new Tensor?[store.Parameters.Count];
        rounded = IsRounded ? new Tensor?[store.Parameters.Count] : full;
    }

    /// <summary>Where the values live.</summary>
    public ParameterStore Store { get; }

    /// <summary>The tape that records what is computed from these tensors; null for none.</summary>
    public Tape? Tape { get; }

    /// <summary>True for the teacher's values.</summary>
    public bool IsTeacher { get; }

    /// <summary>The type that passes over this view are computed in.</summary>
    public DType DType { get; }

    /// <summary>A parameter by its number, in <see cref="DType"/>. The tensor belongs to the view.</summary>
    public Tensor this[int parameter] => IsRounded ? Rounded(parameter) : Full(parameter);

    /// <summary>A parameter in the type of the store, whatever the view is computed in.</summary>
    public Tensor Full(int parameter) => full[parameter] ??= MakeFull(parameter);

    /// <summary>The same values for another tape (or none): for recomputation.</summary>
    public ParameterView On(Tape? tape) => new(Store, tape, IsTeacher, DType);

    /// <summary>Lets go of the tensors; the values stay in the store.</summary>
    public void Dispose()
    {
        foreach (var tensor in full) tensor?.Dispose();
        Array.Clear(full);
        if (!IsRounded) return;
        foreach (var tensor in rounded) tensor?.Dispose();
        Array.Clear(rounded);
    }

    private bool IsRounded => DType != Store.DType;

    private ParameterPart Part => IsTeacher ? ParameterPart.Teacher : ParameterPart.Student;

    private Tensor Rounded(int parameter)
    {
        // Asked for each time, though the tensor may be there: it is what makes the copy right after a write.
        var place = Store.RoundedPlaceOf(Part, parameter);
        return rounded[parameter] ??= MakeRounded(parameter, place);
    }

    private Tensor MakeRounded(int parameter, TensorRef place)
    {
        var node = Tape is null ? null : Ops.CastGradient(Tape, new ParameterNode(Tape, Store, parameter), Store.DType);
        return new Tensor(place.Retain(), Store.Parameters[parameter].Name, node, scoped: false);
    }

    private Tensor MakeFull(int parameter)
    {
        var place = Store.PlaceOf(Part, parameter).Retain();
        var node = Tape is null ? null : new ParameterNode(Tape, Store, parameter);
        return new Tensor(place, Store.Parameters[parameter].Name, node, scoped: false);
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
