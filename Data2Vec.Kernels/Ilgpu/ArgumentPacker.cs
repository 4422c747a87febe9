using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Writes the argument struct of an ILGPU kernel as the kernel's PTX reads it: fields in their order, each aligned to its own
/// size, a view as address and length. The code for a struct is made once; packing allocates nothing.
/// </summary>
internal sealed class ArgumentPacker<TArgs>
    where TArgs : struct
{
    private delegate void Write(in TArgs args, nint target);

    private readonly Write write;

    private ArgumentPacker()
    {
        var method = new DynamicMethod(
            $"Pack {typeof(TArgs)}", null, [typeof(TArgs).MakeByRefType(), typeof(nint)], typeof(ArgumentPacker<TArgs>), true);
        var code = method.GetILGenerator();
        Bytes = Place(typeof(TArgs), 0, [], code).End;
        code.Emit(OpCodes.Ret);
        write = method.CreateDelegate<Write>();
    }

    /// <summary>The one for this struct.</summary>
    public static ArgumentPacker<TArgs> Instance { get; } = new();

    /// <summary>Bytes that a kernel takes.</summary>
    public int Bytes { get; }

    /// <summary>Writes <see cref="Bytes"/> bytes.</summary>
    public void Pack(in TArgs args, nint target) => write(args, target);

    /// <summary>Emits the writing of a value that begins at the first fitting place from <paramref name="from"/> on.</summary>
    private static (int End, int Alignment) Place(Type type, int from, FieldInfo[] path, ILGenerator code)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ArrayView<>))
        {
            var at = Aligned(from, sizeof(long));
            EmitAddress(code, path);
            code.Emit(OpCodes.Ldarg_1);
            code.Emit(OpCodes.Ldc_I4, at);
            code.Emit(OpCodes.Add);
            code.Emit(OpCodes.Call, typeof(ViewWriter).GetMethod(nameof(ViewWriter.Write))!
                .MakeGenericMethod(type.GetGenericArguments()));
            return (at + 2 * sizeof(long), sizeof(long));
        }
        if (type.IsEnum) type = type.GetEnumUnderlyingType();
        if (type == typeof(bool) || type == typeof(char))
            throw new NotSupportedException($"{typeof(TArgs)} holds a {type.Name}, which a kernel has no place for.");
        if (type.IsPrimitive)
        {
            var size = SizeOf(type);
            var at = Aligned(from, size);
            code.Emit(OpCodes.Ldarg_1);
            code.Emit(OpCodes.Ldc_I4, at);
            code.Emit(OpCodes.Add);
            EmitAddress(code, path);
            code.Emit(OpCodes.Ldobj, type);
            code.Emit(OpCodes.Stobj, type);
            return (at + size, size);
        }
        var fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .OrderBy(f => f.MetadataToken).ToArray();
        // Where a struct begins depends on its widest member.
        var alignment = fields.Select(f => Place(f.FieldType, 0, [], Nowhere()).Alignment).DefaultIfEmpty(1).Max();
        var end = Aligned(from, alignment);
        foreach (var field in fields) end = Place(field.FieldType, end, [.. path, field], code).End;
        // An empty struct still takes a byte.
        return (Aligned(Math.Max(end, Aligned(from, alignment) + 1), alignment), alignment);
    }

    private static void EmitAddress(ILGenerator code, FieldInfo[] path)
    {
        code.Emit(OpCodes.Ldarg_0);
        foreach (var field in path) code.Emit(OpCodes.Ldflda, field);
    }

    private static ILGenerator Nowhere() => new DynamicMethod("nowhere", null, []).GetILGenerator();

    private static int SizeOf(Type type) => (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static int Aligned(int offset, int alignment) => (offset + alignment - 1) / alignment * alignment;
}

/// <summary>Writes views.</summary>
internal static unsafe class ViewWriter
{
    /// <summary>Address and length; zeros for an empty view.</summary>
    public static void Write<T>(ref ArrayView<T> view, nint target)
        where T : unmanaged
    {
        var words = (long*)target;
        words[0] = view.IsValid ? (long)Unsafe.AsPointer(ref view.LoadEffectiveAddress()) : 0;
        words[1] = view.Length;
    }
}
