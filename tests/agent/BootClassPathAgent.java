import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import jdk.internal.org.objectweb.asm.ClassReader;
import jdk.internal.org.objectweb.asm.ClassVisitor;
import jdk.internal.org.objectweb.asm.ClassWriter;
import jdk.internal.org.objectweb.asm.MethodVisitor;
import jdk.internal.org.objectweb.asm.Opcodes;

/**
 * Lets Elasticsearch 1.7 start on Java 17: it asks for the boot class path, which newer Java answers
 * with an exception. With this agent the answer is an empty text.
 */
public final class BootClassPathAgent implements ClassFileTransformer {
    private static final String TARGET = "sun/management/RuntimeImpl";

    public static void premain(String arguments, Instrumentation instrumentation) throws Exception {
        BootClassPathAgent agent = new BootClassPathAgent();
        instrumentation.addTransformer(agent, true);
        instrumentation.retransformClasses(Class.forName(TARGET.replace('/', '.')));
        instrumentation.removeTransformer(agent);
    }

    @Override
    public byte[] transform(ClassLoader loader, String name, Class<?> type, ProtectionDomain domain,
                            byte[] bytes) {
        if (!TARGET.equals(name)) {
            return null;
        }
        ClassReader reader = new ClassReader(bytes);
        ClassWriter writer = new ClassWriter(reader, 0);
        reader.accept(new EmptyAnswer(writer), 0);
        return writer.toByteArray();
    }

    private static final class EmptyAnswer extends ClassVisitor {
        EmptyAnswer(ClassVisitor next) {
            super(Opcodes.ASM8, next);
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor,
                                         String signature, String[] exceptions) {
            MethodVisitor method = super.visitMethod(access, name, descriptor, signature, exceptions);
            if (!name.equals("getBootClassPath")) {
                return method;
            }
            method.visitCode();
            method.visitLdcInsn("");
            method.visitInsn(Opcodes.ARETURN);
            method.visitMaxs(1, 1);
            method.visitEnd();
            return null;
        }
    }
}
